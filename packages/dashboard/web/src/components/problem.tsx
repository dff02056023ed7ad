// What went wrong, and what to do about it.

import { sentence } from '../lib/format.ts';
import type { Problem } from '../state/api.ts';
import { Icon } from './chip.tsx';
import { Copy } from './copy.tsx';
import { Time } from './value.tsx';

/** `brief`: without what to do, where there is only one thing. */
export function ProblemBox({ problem, what, brief = false }: { problem: Problem; what?: string; brief?: boolean }) {
  return (
    <div class="problem" role="alert">
      <p>
        <Icon level="error" /> {what === undefined ? sentence(problem.message) : `${what}: ${problem.message}`}
      </p>
      {(brief ? [] : problem.hints).map((hint) => (
        <p key={hint} class="hint">
          {hint}
        </p>
      ))}
      <p class="hint">
        At <Time at={problem.at} />.
      </p>
    </div>
  );
}

/** What belongs here, and how it comes here. */
export function Empty({ text, cli }: { text: string; cli?: string }) {
  return (
    <div class="empty">
      <p>{text}</p>
      {cli === undefined ? null : <Copy text={cli} label="Copy" />}
    </div>
  );
}
