// Messages about what was done, at the edge of the page.

import { t } from '../lib/words.ts';
import { dismiss, toasts } from '../state/toasts.ts';
import { Icon } from './chip.tsx';
import { Said } from './said.tsx';
import { Time } from './value.tsx';

export function Toasts() {
  return (
    <section class="toasts" aria-label={t('Messages')} aria-live="polite">
      {toasts.value.map(({ id, kind, text, hints, at }) => (
        <div key={id} class={`toast ${kind}`}>
          <Icon level={kind === 'done' ? 'ok' : 'error'} />
          <div>
            <p>{text}</p>
            {hints.map((hint) => (
              <p key={hint} class="hint">
                <Said text={hint} />
              </p>
            ))}
            <p class="hint">
              <Time at={at} />
            </p>
          </div>
          <button type="button" class="quiet" aria-label={t('Dismiss')} onClick={() => dismiss(id)}>
            ✕
          </button>
        </div>
      ))}
    </section>
  );
}
