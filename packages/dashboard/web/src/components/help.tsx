// What the keyboard does.

import { PAGES, type PageName } from '../lib/routes.ts';
import { helpShown } from '../state/keyboard.ts';
import { Dialog } from './dialog.tsx';

const KEYS: readonly (readonly [string, string])[] = [
  ['?', 'this help'],
  ['/', 'search'],
  ['Esc', 'closes what is open; on the map, forgets the selection'],
  ['Arrows, Home, End, Page Up, Page Down', 'go about the map of slots'],
  ['Shift + arrows', 'select slots'],
  ['Space', 'selects one slot, or not'],
  ['Enter', 'the slot’s details'],
];

export function Help() {
  if (!helpShown.value) return null;
  return (
    <Dialog
      title="Keyboard"
      onClose={() => {
        helpShown.value = false;
      }}
    >
      <dl class="facts">
        {KEYS.map(([key, text]) => [
          <dt key={key}>
            <kbd>{key}</kbd>
          </dt>,
          <dd key={`${key} text`}>{text}</dd>,
        ])}
        {(Object.keys(PAGES) as PageName[]).map((page) => [
          <dt key={page}>
            <kbd>g</kbd> <kbd>{PAGES[page].key}</kbd>
          </dt>,
          <dd key={`${page} text`}>{PAGES[page].title}</dd>,
        ])}
      </dl>
    </Dialog>
  );
}
