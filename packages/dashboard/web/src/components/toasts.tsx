// Messages about what was done, at the edge of the page.

import { useEffect, useRef } from 'preact/hooks';
import { t } from '../lib/words.ts';
import { dismiss, hold, release, type Toast, toasts } from '../state/toasts.ts';
import { Icon } from './chip.tsx';
import { Said } from './said.tsx';
import { Time } from './value.tsx';

export function Toasts() {
  const list = useRef<HTMLElement>(null);
  const newest = toasts.value.at(-1)?.id;
  useEffect(() => list.current?.scrollTo({ top: list.current.scrollHeight }), [newest]);
  return (
    <section ref={list} class="toasts" aria-label={t('Messages')} aria-live="polite">
      {toasts.value.map((toast) => (
        <Message key={toast.id} toast={toast} onDismiss={(button) => dismissAt(toast.id, button, list.current)} />
      ))}
    </section>
  );
}

function Message({ toast, onDismiss }: { toast: Toast; onDismiss: (button: HTMLElement) => void }) {
  const { id, kind, text, hints, at } = toast;
  return (
    <div
      class={`toast ${kind}`}
      onPointerEnter={() => hold(id)}
      onPointerLeave={() => release(toast)}
      onFocusIn={() => hold(id)}
      onFocusOut={() => release(toast)}
    >
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
      <button type="button" class="quiet" aria-label={t('Dismiss: {text}', { text })} onClick={(event) => onDismiss(event.currentTarget)}>
        ✕
      </button>
    </div>
  );
}

/** The focus goes on to the next message, or back to the page, and not away with the button. */
function dismissAt(id: number, button: HTMLElement, list: HTMLElement | null): void {
  const buttons = [...(list?.querySelectorAll<HTMLElement>('button') ?? [])];
  const at = buttons.indexOf(button);
  (buttons[at + 1] ?? buttons[at - 1] ?? document.querySelector<HTMLElement>('main'))?.focus();
  dismiss(id);
}
