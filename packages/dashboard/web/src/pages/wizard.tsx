// Moving slots, the first two steps: what, and where to. The plan that comes of it is the third.

import type { GroupView, MeasureName } from '@codis/config/api';
import { Button, WriteButton } from '../components/button.tsx';
import { GroupMark } from '../components/chip.tsx';
import { Copy } from '../components/copy.tsx';
import { Field, Select, type TextCell } from '../components/field.tsx';
import { PageHead } from '../components/layout.tsx';
import { Empty, ProblemBox } from '../components/problem.tsx';
import {
  type DraftKind,
  draftCli,
  draftSlots,
  ownedBy,
  slotsProblem,
  targetProblem,
  weightProblem,
  whatProblem,
  whereProblem,
} from '../lib/draft.ts';
import { plural } from '../lib/format.ts';
import type { ShownTopology } from '../lib/live-state.ts';
import { SLOT_COUNT } from '../lib/slots.ts';
import { msg, t } from '../lib/words.ts';
import { topology } from '../state/live.ts';
import { navigate, to } from '../state/router.ts';
import { change, draft, planDraft, planning, planProblem, step } from '../state/wizard.ts';

export const STEPS = [msg('What'), msg('Where'), msg('Review'), msg('Run')] as const;

export function StepList({ at }: { at: number }) {
  return (
    <ol class="step-list">
      {STEPS.map((name, index) => (
        <li key={name} aria-current={index === at ? 'step' : undefined} class={index < at ? 'done' : ''}>
          {t(name)}{' '}
        </li>
      ))}
    </ol>
  );
}

export function WizardPage() {
  const table = topology.value;
  return (
    <>
      <PageHead title={t('Move slots')} />
      {table === null ? (
        <Empty text={t('There is no slot table yet, so there is nothing to move.')} cli="codis-config slot init" />
      ) : (
        <>
          <StepList at={step.value === 'what' ? 0 : 1} />
          {step.value === 'what' ? <What table={table} /> : <Where table={table} />}
        </>
      )}
    </>
  );
}

const KINDS: readonly { kind: DraftKind; label: string; hint: string }[] = [
  { kind: 'slots', label: msg('These slots'), hint: msg('by number and range') },
  { kind: 'some', label: msg('Some slots of a group'), hint: msg('so many, whichever') },
  { kind: 'rebalance', label: msg('Rebalance'), hint: msg('so that every group has its share, also new ones') },
  { kind: 'drain', label: msg('Drain a group'), hint: msg('so that it can be taken away') },
];

function What({ table }: { table: ShownTopology }) {
  const current = draft.value;
  const problem = whatProblem(current, table);
  return (
    <form class="wizard" onSubmit={(event) => event.preventDefault()}>
      <fieldset>
        <legend>{t('What is to move?')}</legend>
        {KINDS.map(({ kind, label, hint }) => (
          <label key={kind} class="choice">
            <input type="radio" name="kind" checked={current.kind === kind} onChange={() => change({ kind })} />
            <span>
              <strong>{t(label)}</strong> <span class="hint">{t(hint)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {current.kind === 'slots' ? <SlotsField table={table} /> : null}
      {current.kind === 'some' || current.kind === 'drain' ? <FromField table={table} /> : null}
      {current.kind === 'some' ? <AmountField /> : null}
      <footer>
        <span class="spring" />
        <Button
          submit
          primary
          block={problem}
          onClick={() => {
            step.value = 'where';
          }}
        >
          {t('Next: where to')}
        </Button>
      </footer>
    </form>
  );
}

/** A field of the draft as a signal that an input can write. */
function fieldOf(name: 'slots' | 'amount'): TextCell {
  return {
    get value() {
      return draft.value[name];
    },
    set value(text: string) {
      change({ [name]: text });
    },
  };
}

const slotsField = fieldOf('slots');
const amountField = fieldOf('amount');

function SlotsField({ table }: { table: ShownTopology }) {
  const count = draftSlots(draft.value, table).length;
  return (
    <Field
      label={t('Slots')}
      value={slotsField}
      check={(text) => slotsProblem(text, table)}
      placeholder="0-255, 300"
      hint={
        count === 0
          ? t('Numbers and ranges from 0 to {last}; or select them on the map of slots.', { last: SLOT_COUNT - 1 })
          : plural(count, 'slot')
      }
    />
  );
}

function AmountField() {
  const table = topology.value;
  return (
    <Field
      label={t('How many slots')}
      value={amountField}
      numeric
      check={() => (table === null ? null : whatProblem(draft.value, table))}
      hint={t('Those with the highest numbers.')}
    />
  );
}

function FromField({ table }: { table: ShownTopology }) {
  return (
    <fieldset>
      <legend>{draft.value.kind === 'drain' ? t('Which group?') : t('From which group?')}</legend>
      {table.groups.map((group) => {
        const slots = ownedBy(group.id, table).length;
        return (
          <GroupChoice
            key={group.id}
            group={group}
            checked={draft.value.from === group.id}
            note={plural(slots, 'slot')}
            problem={slots === 0 ? t('has no slot that can move') : null}
            onChoose={() => change({ from: group.id })}
            radio="from"
          />
        );
      })}
    </fieldset>
  );
}

interface GroupChoiceProps {
  readonly group: GroupView;
  /** Of the radio buttons that belong together. */
  readonly radio: string;
  readonly checked: boolean;
  readonly note: string;
  /** Why it can't be chosen; null when it can. */
  readonly problem: string | null;
  readonly onChoose: () => void;
}

function GroupChoice({ group, radio, checked, note, problem, onChoose }: GroupChoiceProps) {
  return (
    <label class={problem === null ? 'choice' : 'choice off'}>
      <input type="radio" name={radio} checked={checked} disabled={problem !== null} onChange={onChoose} />
      <span>
        <GroupMark group={group.id} />{' '}
        <span class="hint">
          {note}
          {problem === null ? '' : t('; it {problem}', { problem })}
        </span>
      </span>
    </label>
  );
}

function Where({ table }: { table: ShownTopology }) {
  const current = draft.value;
  const problem = whatProblem(current, table) ?? whereProblem(current, table);
  const cli = problem === null ? draftCli(current, table) : null;
  const review = async () => {
    const made = await planDraft();
    if (made !== null) navigate(to('migrations', 'plan', String(made.id)));
  };
  return (
    <form class="wizard" onSubmit={(event) => event.preventDefault()}>
      {current.kind === 'slots' || current.kind === 'some' ? <TargetField table={table} /> : <BalanceFields table={table} />}
      {planProblem.value === null ? null : <ProblemBox problem={planProblem.value} what={t('No plan')} />}
      <footer>
        <Button
          onClick={() => {
            step.value = 'what';
          }}
        >
          {t('Back')}
        </Button>
        {cli === null ? null : <Copy text={cli} />}
        <span class="spring" />
        <WriteButton
          submit
          primary
          block={planning.value ? t('The plan is being made; servers are being looked through.') : problem}
          onClick={() => void review()}
        >
          {planning.value ? t('Looking through the servers …') : t('Review the plan')}
        </WriteButton>
      </footer>
      <p class="hint">{t('Making a plan moves nothing. It looks at how many keys there are, and how large.')}</p>
    </form>
  );
}

function TargetField({ table }: { table: ShownTopology }) {
  const current = draft.value;
  return (
    <fieldset>
      <legend>{t('Where do {slots} move to?', { slots: plural(draftSlots(current, table).length, 'slot') })}</legend>
      {table.groups.map((group) => (
        <GroupChoice
          key={group.id}
          group={group}
          radio="to"
          checked={current.to === group.id}
          note={plural(group.slotsCount, 'slot')}
          problem={targetProblem(group, current, table)}
          onChoose={() => change({ to: group.id })}
        />
      ))}
    </fieldset>
  );
}

const MEASURES: readonly { value: MeasureName; label: string }[] = [
  { value: 'slots', label: msg('numbers of slots') },
  { value: 'keys', label: msg('numbers of keys') },
  { value: 'memory', label: msg('memory') },
];

function BalanceFields({ table }: { table: ShownTopology }) {
  const current = draft.value;
  return (
    <>
      <Select label={t('Make even')} value={current.by} options={MEASURES} onChange={(by) => change({ by })} />
      {current.kind === 'drain' ? (
        <p>{t('The slots of group {from} are shared out among the other groups.', { from: current.from })}</p>
      ) : (
        <fieldset>
          <legend>{t('Weights: 1 is the default, 2 for twice as much, 0 for nothing')}</legend>
          <div class="weights">
            {table.groups.map(({ id }) => (
              <Field key={id} label={t('group {id}', { id })} value={weightField(id)} numeric placeholder="1" check={weightProblem} />
            ))}
          </div>
        </fieldset>
      )}
    </>
  );
}

function weightField(group: number): TextCell {
  return {
    get value() {
      return draft.value.weights[group] ?? '';
    },
    set value(text: string) {
      change({ weights: { ...draft.value.weights, [group]: text } });
    },
  };
}
