// What is wrong, each with what mends it beside it.

import type { CauseView } from '@codis/config/api';
import { apiWord } from '../lib/api-words.ts';
import { sentence } from '../lib/format.ts';
import { rich, t } from '../lib/words.ts';
import { Chip } from './chip.tsx';
import { explainable, TryButton, WhyButton } from './explain.tsx';
import { Said } from './said.tsx';
import { Steady } from './steady.tsx';
import { Time } from './value.tsx';

const SHOWN_MAX = 8;

export function Causes({ causes }: { causes: readonly CauseView[] }) {
  if (causes.length === 0) return null;
  return (
    <Steady rows={causes.slice(0, SHOWN_MAX)} rowKey={({ text }) => text}>
      {(rows) => (
        <ul class="causes">
          {rows.map((cause) => (
            <li key={cause.text}>
              <Cause cause={cause} />
            </li>
          ))}
          {causes.length > SHOWN_MAX ? <li>{t('and {count} more', { count: causes.length - SHOWN_MAX })}</li> : null}
        </ul>
      )}
    </Steady>
  );
}

function Cause({ cause }: { cause: CauseView }) {
  const { severity, text, since } = cause;
  return (
    <>
      <Chip level={severity === 'problem' ? 'error' : 'warn'} word={apiWord(severity)} />
      <span class="cause-text">
        <Said text={sentence(text)} /> <span class="hint">{rich('since {at}', { at: <Time at={since} /> })}</span>
      </span>
      <CauseActions cause={cause} />
    </>
  );
}

/** The button that mends it, and the one that explains. */
export function CauseActions({ cause: { severity, text, object, try: tries } }: { cause: CauseView }) {
  const of = explainable(object);
  const [best] = tries;
  return (
    <span class="actions">
      {best === undefined ? null : <TryButton entry={best} primary={severity === 'problem'} />}
      {of === null ? null : <WhyButton of={of} about={text} />}
    </span>
  );
}
