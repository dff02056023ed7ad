// Entry of the console.

import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/parts.css';
import './styles/slots.css';
import { App } from './app.tsx';
import { startKeyboard } from './state/keyboard.ts';
import { startLanguage } from './state/language.ts';
import { startRouter } from './state/router.ts';
import { startTheme } from './state/theme.ts';

const place = document.querySelector('#app');
startTheme();
startRouter();
startKeyboard();
await startLanguage();
if (place) render(<App />, place);
