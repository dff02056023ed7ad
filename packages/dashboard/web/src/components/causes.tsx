// What is wrong, each with what mends it beside it.

import type { CauseView, TryView } from '@codis/config/api';
import { Chip } from './chip.tsx';
import { explainable, TryButton, WhyButton } from './explain.tsx';
import { PromoteButton } from './promote.tsx';
import { Time } from './value.tsx';

const SHOWN_MAX = 8;

export function Causes({ causes }: { causes: readonly CauseView[] }) {
  if (causes.length === 0) return null;
  return (
    <ul class="causes">
      {causes.slice(0, SHOWN_MAX).map((cause) => (
        <li key={cause.text}>
          <Cause cause={cause} />
        </li>
      ))}
      {causes.length > SHOWN_MAX ? <li>and {causes.length - SHOWN_MAX} more</li> : null}
    </ul>
  );
}

function Cause({ cause: { severity, text, object, since, try: tries } }: { cause: CauseView }) {
  const of = explainable(object);
  const [best] = tries;
  return (
    <>
      <Chip level={severity === 'problem' ? 'error' : 'warn'} word={severity} />
      <span class="cause-text">
        {text}{' '}
        <span class="hint">
          since <Time at={since} />
        </span>
      </span>
      <span class="actions">
        {best === undefined ? null : <Mend entry={best} primary={severity === 'problem'} />}
        {of === null ? null : <WhyButton of={of} about={text} />}
      </span>
    </>
  );
}

const PROMOTE = /^\/groups\/(\d+)\/servers\/([^/]+)\/promote$/;

/** The button for what mends something; a promotion has a dialog of its own. */
export function Mend({ entry, primary = false }: { entry: TryView; primary?: boolean }) {
  const [, group, addr] = PROMOTE.exec(entry.api?.path ?? '') ?? [];
  if (group !== undefined && addr !== undefined)
    return <PromoteButton primary={primary} group={Number(group)} addr={decodeURIComponent(addr)} />;
  return <TryButton entry={entry} primary={primary} />;
}
