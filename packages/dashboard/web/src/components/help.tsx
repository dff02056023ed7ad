// What the keyboard does.

import { PAGES, type PageName } from '../lib/routes.ts';
import { msg, t } from '../lib/words.ts';
import { helpShown } from '../state/keyboard.ts';
import { Dialog } from './dialog.tsx';

const KEYS: readonly (readonly [string, string])[] = [
  ['?', msg('this help')],
  ['/', msg('search')],
  ['Esc', msg('closes what is open; on the map, forgets the selection')],
  [msg('Arrows, Home, End, Page Up, Page Down'), msg('go about the map of slots')],
  [msg('Shift + arrows'), msg('select slots')],
  [msg('Space'), msg('selects one slot, or not')],
  [msg('Enter'), msg('the slot’s details')],
];

export function Help() {
  if (!helpShown.value) return null;
  return (
    <Dialog
      title={t('Keyboard')}
      onClose={() => {
        helpShown.value = false;
      }}
    >
      <dl class="facts">
        {KEYS.map(([key, text]) => [
          <dt key={key}>
            <kbd>{t(key)}</kbd>
          </dt>,
          <dd key={`${key} text`}>{t(text)}</dd>,
        ])}
        {(Object.keys(PAGES) as PageName[]).map((page) => [
          <dt key={page}>
            <kbd>g</kbd> <kbd>{PAGES[page].key}</kbd>
          </dt>,
          <dd key={`${page} text`}>{t(PAGES[page].title)}</dd>,
        ])}
      </dl>
    </Dialog>
  );
}
