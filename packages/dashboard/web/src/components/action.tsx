// Doing something: a dialog that repeats on what and to what effect, shows the same as a command line, and keeps its place when it fails.

import { computed, type Signal, signal, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { sentence } from '../lib/format.ts';
import { t } from '../lib/words.ts';
import { asProblem, dryRun, type Method, type Problem } from '../state/api.ts';
import { epoch } from '../state/live.ts';
import { writeBlock } from '../state/session.ts';
import { toastDone } from '../state/toasts.ts';
import { Button, WriteButton } from './button.tsx';
import { Copy } from './copy.tsx';
import { Dialog } from './dialog.tsx';
import { Field } from './field.tsx';
import { ProblemBox } from './problem.tsx';
import { Said } from './said.tsx';

export interface Action {
  /** A verb and its object: `Promote 127.0.0.1:6380`. */
  readonly title: string;
  /** What will be the case afterwards, each in a sentence. */
  readonly effect: readonly string[];
  /** A function where it depends on what is chosen in the dialog. */
  readonly cli: string | null | (() => string | null);
  /** Gives what to say when it is done. */
  readonly run: () => Promise<{ readonly said: string; readonly notes?: readonly string[] }>;
  /** The same call, where it is known before the dialog opens: it is tried without changing anything, so that a refusal and notes are seen before one confirms. */
  readonly rehearsal?: Rehearsed;
  /** It concerns nobody but who does it, so a viewer may too. */
  readonly own?: boolean;
  /** It takes something away. */
  readonly danger?: boolean;
  /** To be typed before it can be done: only for what may lose data. A function where that depends on what is chosen. */
  readonly typed?: string | (() => string | null);
  /** More to choose or to read. */
  readonly details?: ComponentChildren;
  /** Why it can't be done as it is set, in a sentence; null when it can. */
  readonly block?: () => string | null;
}

export interface Rehearsed {
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
  /** What would be done is said in the words of the audit log. */
  readonly tells?: boolean;
}

const opened = signal<Action | null>(null);
/** Whether somebody is about to do something. */
export const isActing = computed(() => opened.value !== null);

export function openAction(action: Action): void {
  opened.value = action;
}

/** Where the dialog appears; once in the page. */
export function ActionHost() {
  const action = opened.value;
  return action === null ? null : <ActionDialog key={action.title} action={action} />;
}

function close(): void {
  opened.value = null;
}

function ActionDialog({ action }: { action: Action }) {
  const typed = useSignal('');
  const refused = useSignal(false);
  const busy = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const wanted = typeof action.typed === 'function' ? action.typed() : (action.typed ?? null);
  const untyped = wanted !== null && typed.value.trim() !== wanted ? t('Type {wanted} first.', { wanted }) : null;
  const block = busy.value
    ? t('It is being done.')
    : refused.value
      ? t('It would be refused, as is said above.')
      : (untyped ?? action.block?.() ?? null);
  const Confirm = action.own ? Button : WriteButton;
  const cli = typeof action.cli === 'function' ? action.cli() : action.cli;
  const run = async () => {
    busy.value = true;
    problem.value = null;
    try {
      const { said, notes } = await action.run();
      toastDone(said, notes);
      close();
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <Dialog title={action.title} onClose={close}>
      {action.effect.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {action.details}
      {action.rehearsal === undefined ? null : <Rehearsal of={action.rehearsal} refused={refused} />}
      {wanted === null ? null : <Field label={t('To confirm, type {wanted}', { wanted })} value={typed} />}
      {problem.value === null ? null : <ProblemBox problem={problem.value} what={t('It was refused')} />}
      {writeBlock.value === null || action.own ? null : <p class="note">{writeBlock.value}</p>}
      <div class="dialog-foot">
        {cli === null ? null : <Copy text={cli} />}
        <span class="spring" />
        <Button onClick={close}>{t('Not now')}</Button>
        <Confirm primary danger={action.danger ?? false} block={block} onClick={() => void run()}>
          {action.title}
        </Confirm>
      </div>
    </Dialog>
  );
}

/** What would happen, as the dashboard says it. */
function Rehearsal({ of: { method, path, body, tells = false }, refused }: { of: Rehearsed; refused: Signal<boolean> }) {
  const notes = useSignal<readonly string[]>([]);
  const problem = useSignal<Problem | null>(null);
  useEffect(() => {
    dryRun(method, path, { epoch: epoch.peek(), ...(body === undefined ? {} : { body }) }).then(
      (view) => {
        const told = tells ? view.would.map(({ object, after }) => `${sentence(object)}${after === null ? '' : `: ${after}`}.`) : [];
        notes.value = [...told, ...view.notes];
      },
      (error: unknown) => {
        problem.value = asProblem(error);
        // What failed on the way says nothing about the change itself.
        refused.value = problem.value.status >= 400 && problem.value.status < 500;
      },
    );
  }, []);
  return (
    <>
      {notes.value.map((note) => (
        <p key={note} class="note">
          <Said text={note} />
        </p>
      ))}
      {problem.value === null ? null : <ProblemBox problem={problem.value} what={t('It would be refused')} />}
    </>
  );
}

/** Opens the dialog of an action. `onOpen`: what has to be so before. */
export function ActionButton({
  action,
  label,
  primary,
  block = null,
  onOpen,
}: {
  action: Action;
  label: string;
  primary?: boolean;
  block?: string | null;
  onOpen?: () => void;
}) {
  return (
    <WriteButton
      primary={primary ?? false}
      block={block}
      label={action.title === label ? label : `${label}: ${action.title}`}
      onClick={() => {
        onOpen?.();
        openAction(action);
      }}
    >
      {label}
    </WriteButton>
  );
}
