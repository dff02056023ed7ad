// What went wrong, and what to do about it.

import { sentence } from '../lib/format.ts';
import { rich, t } from '../lib/words.ts';
import type { Problem } from '../state/api.ts';
import { Icon } from './chip.tsx';
import { Copy } from './copy.tsx';
import { Said } from './said.tsx';
import { Time } from './value.tsx';

/** `brief`: without what to do, where there is only one thing. */
export function ProblemBox({ problem, what, brief = false }: { problem: Problem; what?: string; brief?: boolean }) {
  return (
    <div class="problem" role="alert">
      <p>
        <Icon level="error" /> {what === undefined ? '' : t('{what}: ', { what })}
        <Said text={what === undefined ? sentence(problem.message) : problem.message} />
      </p>
      {(brief ? [] : problem.hints).map((hint) => (
        <p key={hint} class="hint">
          <Said text={hint} />
        </p>
      ))}
      <p class="hint">{rich('At {at}.', { at: <Time at={problem.at} /> })}</p>
    </div>
  );
}

/** What belongs here, and how it comes here. */
export function Empty({ text, cli }: { text: string; cli?: string }) {
  return (
    <div class="empty">
      <p>{text}</p>
      {cli === undefined ? null : <Copy text={cli} label={t('Copy')} />}
    </div>
  );
}
