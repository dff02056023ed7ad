// Something to copy: a command line, an address.

import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';

const SAID_MS = 2000;

export function Copy({ text, label = 'Copy as CLI' }: { text: string; label?: string }) {
  const said = useSignal('');
  const code = useRef<HTMLElement>(null);
  const copy = async () => {
    said.value = (await toClipboard(text)) ? 'Copied' : selectText(code.current);
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
  return 'Selected; press Ctrl-C';
}
