// What went wrong, and what to do about it.

import type { Problem } from '../state/api.ts';
import { Icon } from './chip.tsx';
import { Copy } from './copy.tsx';
import { Time } from './value.tsx';

export function ProblemBox({ problem, what }: { problem: Problem; what?: string }) {
  return (
    <div class="problem" role="alert">
      <p>
        <Icon level="error" /> {what === undefined ? '' : `${what}: `}
        {problem.message}
      </p>
      {problem.hints.map((hint) => (
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
