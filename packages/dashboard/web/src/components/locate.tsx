// Where a key lives: by text, the slot, the part of it that decides, and the server.

import type { KeyLocationView } from '@codis/config/api';
import { signal } from '@preact/signals';
import { apiWord } from '../lib/api-words.ts';
import { printable } from '../lib/format.ts';
import { parseSlots } from '../lib/slots.ts';
import { rich, t } from '../lib/words.ts';
import { asProblem, get, type Problem } from '../state/api.ts';
import { to } from '../state/router.ts';
import { GroupMark } from './chip.tsx';
import { Field } from './field.tsx';
import { ProblemBox } from './problem.tsx';

type Found =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'slots'; readonly slots: readonly number[] }
  | { readonly kind: 'key'; readonly location: KeyLocationView }
  | { readonly kind: 'failed'; readonly problem: Problem };

export const searched = signal('');
export const found = signal<Found>({ kind: 'nothing' });

/** A slot, a range, or a key. Digits alone are a slot; a key of digits can be asked for in quotes. */
export async function search(): Promise<void> {
  const text = searched.value;
  const parsed = parseSlots(text);
  if (text.trim() === '') found.value = { kind: 'nothing' };
  else if ('slots' in parsed) found.value = { kind: 'slots', slots: parsed.slots };
  else await locate(/^".*"$/.test(text) ? text.slice(1, -1) : text);
}

async function locate(key: string): Promise<void> {
  try {
    found.value = { kind: 'key', location: await get<KeyLocationView>(`/keys/locate?key=${encodeURIComponent(key)}`) };
  } catch (error) {
    found.value = { kind: 'failed', problem: asProblem(error) };
  }
}

export function SearchBox({ label, onFound }: { label: string; onFound: () => void }) {
  return (
    <form
      class="search"
      onSubmit={(event) => {
        event.preventDefault();
        void search().then(onFound);
      }}
    >
      <Field label={label} value={searched} placeholder={t('512, 0-255 or {key}', { key: 'user:{42}:cart' })} />
      <button type="submit">{t('Find')}</button>
    </form>
  );
}

export function Location({ location: { key, slot, tag, group, state, to: target, server } }: { location: KeyLocationView }) {
  return (
    <p class="note" role="status">
      {rich(tag === null ? 'The key {key} is in {slot}.' : 'The key {key} is in {slot}, decided by {tag} between the braces.', {
        key: <code>{printable(key)}</code>,
        slot: <a href={to('slots', slot)}>{t('slot {slot}', { slot })}</a>,
        tag: <code>{printable(tag ?? '')}</code>,
      })}{' '}
      {group === null
        ? t('The slot belongs to no group, so nobody serves it.')
        : rich(
            target === null
              ? '{group} has it ({state}); requests go to {server}.'
              : '{group} has it ({state} to group {target}); requests go to {server}.',
            {
              group: <GroupMark group={group} />,
              state: apiWord(state),
              target,
              server: server ?? t('no server: the group has no master'),
            },
          )}
    </p>
  );
}

export function SearchAnswer() {
  const answer = found.value;
  if (answer.kind === 'key') return <Location location={answer.location} />;
  return answer.kind === 'failed' ? <ProblemBox problem={answer.problem} /> : null;
}
