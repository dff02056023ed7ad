// Something to copy: a command line, an address.

import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { t } from '../lib/words.ts';

const SAID_MS = 2000;

export function Copy({ text, label = t('Copy as CLI') }: { text: string; label?: string }) {
  const said = useSignal('');
  const code = useRef<HTMLElement>(null);
  const copy = async () => {
    said.value = (await toClipboard(text)) ? t('Copied') : selectText(code.current);
    setTimeout(() => {
      said.value = '';
    }, SAID_MS);
  };
  return (
    <span class="copy">
      <code ref={code}>{text}</code>
      <button type="button" class="quiet" onClick={() => void copy()} aria-label={`${label}: ${text}`}>
        {label}
      </button>
      <span class="said" role="status">
        {said}
      </span>
    </span>
  );
}

/** What is too long to be shown; as a file where the clipboard is refused. `text` is called only then. */
export function CopyAll({ name, text }: { name: string; text: () => string }) {
  const said = useSignal('');
  const copy = async () => {
    const whole = text();
    if (await toClipboard(whole)) said.value = t('Copied');
    else {
      save(`${name}.tsv`, whole);
      said.value = t('Saved as a file: the browser keeps the clipboard for HTTPS');
    }
  };
  return (
    <>
      <button type="button" class="quiet" onClick={() => void copy()}>
        {t('Copy all rows')}
      </button>
      <span class="said" role="status">
        {said}
      </span>
    </>
  );
}

function save(name: string, text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/tab-separated-values' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Browsers keep the clipboard for HTTPS and localhost, and may refuse it there. */
async function toClipboard(text: string): Promise<boolean> {
  if (!('clipboard' in navigator)) return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    if (error instanceof DOMException) return false;
    throw error;
  }
}

function selectText(element: HTMLElement | null): string {
  if (element !== null) getSelection()?.selectAllChildren(element);
  return t('Selected; press Ctrl-C');
}
