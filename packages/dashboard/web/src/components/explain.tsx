// "Why?": what was checked to come to a verdict, and what to do about it.

import type { CheckResultName, ExplainView, ObjectView, TryView } from '@codis/config/api';
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { sentence } from '../lib/format.ts';
import { told } from '../lib/told.ts';
import { msg, t } from '../lib/words.ts';
import { asProblem, call, get, type Problem } from '../state/api.ts';
import { status } from '../state/live.ts';
import { type Action, ActionButton } from './action.tsx';
import { Chip, type Level } from './chip.tsx';
import { Copy } from './copy.tsx';
import { Dialog } from './dialog.tsx';
import { ProblemBox } from './problem.tsx';
import { PromoteButton } from './promote.tsx';
import { Said } from './said.tsx';

export type ExplainQuery =
  | { readonly slot: number }
  | { readonly group: number }
  | { readonly proxy: string }
  | { readonly migration: number };

type Answer =
  | { readonly kind: 'asking' }
  | { readonly kind: 'known'; readonly view: ExplainView }
  | { readonly kind: 'failed'; readonly problem: Problem };

const asked = signal<ExplainQuery | null>(null);
const answer = signal<Answer>({ kind: 'asking' });

const LEVELS: Record<CheckResultName, { level: Level; word: string }> = {
  ok: { level: 'ok', word: 'ok' },
  warning: { level: 'warn', word: 'warning' },
  failed: { level: 'error', word: 'failed' },
  unknown: { level: 'unknown', word: 'not known' },
};

export function explain(query: ExplainQuery): void {
  asked.value = query;
}

export function WhyButton({ of, about }: { of: ExplainQuery; about: string }) {
  return (
    <button type="button" class="quiet" aria-label={t('Why? {about}', { about: told(about) ?? about })} onClick={() => explain(of)}>
      {t('Why?')}
    </button>
  );
}

/** What an alert's or problem's object can be asked for; null when it can't. */
export function explainable({ kind, id }: ObjectView): ExplainQuery | null {
  switch (kind) {
    case 'group':
      return { group: Number(id) };
    case 'slot':
      return { slot: Number.parseInt(id, 10) };
    case 'proxy':
      return { proxy: id };
    case 'migration':
      return { migration: Number(id) };
    case 'server': {
      const group = status.value?.groups.find(({ servers }) => servers.some(({ addr }) => addr === id));
      return group === undefined ? null : { group: group.id };
    }
    case 'cluster':
    case 'plan':
    case 'coordinator':
    case 'dashboard':
    case 'user':
    case 'token':
      return null;
    default:
      return null;
  }
}

/** Where the answer appears; once in the page. */
export function ExplainHost() {
  const query = asked.value;
  return query === null ? null : <ExplainDialog key={JSON.stringify(query)} query={query} />;
}

function ExplainDialog({ query }: { query: ExplainQuery }) {
  useEffect(() => {
    answer.value = { kind: 'asking' };
    void ask(query);
  }, []);
  const { name, id } = subjectOf(query);
  const close = () => {
    asked.value = null;
  };
  return (
    <Dialog title={t('Why? {name} {id}', { name: t(SUBJECTS[name]), id })} onClose={close} wide>
      <ExplainAnswer answer={answer.value} onDone={close} />
    </Dialog>
  );
}

type SubjectName = 'slot' | 'group' | 'proxy' | 'migration';
const SUBJECTS: Record<SubjectName, string> = {
  slot: msg('slot'),
  group: msg('group'),
  proxy: msg('proxy'),
  migration: msg('migration'),
};

function subjectOf(query: ExplainQuery): { name: SubjectName; id: string } {
  const [name, id] = Object.entries(query)[0] as [SubjectName, string | number];
  return { name, id: String(id) };
}

async function ask(query: ExplainQuery): Promise<void> {
  const { name, id } = subjectOf(query);
  try {
    const view = await get<ExplainView>(`/explain?${name}=${encodeURIComponent(id)}`);
    if (asked.value === query) answer.value = { kind: 'known', view };
  } catch (error) {
    answer.value = { kind: 'failed', problem: asProblem(error) };
  }
}

function ExplainAnswer({ answer: given, onDone }: { answer: Answer; onDone: () => void }) {
  if (given.kind === 'asking') return <p role="status">{t('Looking …')}</p>;
  if (given.kind === 'failed') return <ProblemBox problem={given.problem} />;
  const { verdict, because, try: tries } = given.view;
  return (
    <>
      <p class="lead">
        <Said text={sentence(verdict)} />
      </p>
      <h3>{t('Because')}</h3>
      <ul class="checks">
        {because.map(({ check, result, evidence }) => (
          <li key={check}>
            <Chip {...LEVELS[result]} />{' '}
            <strong>
              <Said text={check} />
            </strong>
            <br />
            <span class="hint">
              <Said text={evidence} />
            </span>
          </li>
        ))}
      </ul>
      {tries.length === 0 ? null : <h3>{t('What to do')}</h3>}
      <TryList tries={tries} onDone={onDone} />
    </>
  );
}

export function TryList({ tries, onDone }: { tries: readonly TryView[]; onDone?: () => void }) {
  if (tries.length === 0) return null;
  return (
    <ul class="tries">
      {tries.map((entry) => (
        <li key={entry.label}>
          <TryItem entry={entry} onDone={onDone} />
        </li>
      ))}
    </ul>
  );
}

function TryItem({ entry, onDone }: { entry: TryView; onDone: (() => void) | undefined }) {
  return (
    <>
      <TryButton entry={entry} onDone={onDone} />
      {entry.cli === null ? null : <Copy text={entry.cli} />}
    </>
  );
}

const PROMOTE = /^\/groups\/(\d+)\/servers\/([^/]+)\/promote$/;

/** A button for what can be asked for over the API, words for the rest. A promotion has a dialog of its own. */
export function TryButton({ entry, primary = false, onDone }: { entry: TryView; primary?: boolean; onDone?: (() => void) | undefined }) {
  if (entry.api === null || entry.api.method === 'GET')
    return (
      <span class="hint">
        <Said text={entry.label} />
      </span>
    );
  const [, group, addr] = PROMOTE.exec(entry.api.path) ?? [];
  if (group !== undefined && addr !== undefined)
    return <PromoteButton primary={primary} group={Number(group)} addr={decodeURIComponent(addr)} />;
  return <ActionButton action={actionOf(entry, onDone)} label={told(entry.label) ?? entry.label} primary={primary} />;
}

function actionOf({ label, cli, api }: TryView, onDone: (() => void) | undefined): Action {
  return {
    title: told(label) ?? label,
    effect: [
      cli === null
        ? t('It is done at once, and stands in the events afterwards.')
        : t('It does what the command line below does, and stands in the events afterwards.'),
    ],
    cli,
    ...(api === null
      ? {}
      : { rehearsal: { method: api.method, path: api.path, ...(api.body === null ? {} : { body: JSON.parse(api.body) as unknown }) } }),
    run: async () => {
      if (api !== null) await call(api.method, api.path, api.body === null ? {} : { body: JSON.parse(api.body) });
      onDone?.();
      return { said: t('Done: {label}', { label: told(label) ?? label }) };
    },
  };
}
