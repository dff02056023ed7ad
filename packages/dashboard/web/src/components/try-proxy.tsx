// Whether a proxy serves: a key is set, read and deleted through it, and what came back is shown.

import type { ProxyTryView } from '@codis/config/api';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { duration } from '../lib/format.ts';
import { t } from '../lib/words.ts';
import { asProblem, call, type Problem } from '../state/api.ts';
import { writeBlock } from '../state/session.ts';
import { WriteButton } from './button.tsx';
import { Chip } from './chip.tsx';
import { Copy } from './copy.tsx';
import { ProblemBox } from './problem.tsx';
import { Said } from './said.tsx';

/** `atOnce`: without being asked, once. */
export function TryProxy({ id, atOnce = false }: { id: string; atOnce?: boolean }) {
  const found = useSignal<ProxyTryView | null>(null);
  const problem = useSignal<Problem | null>(null);
  const busy = useSignal(false);
  const look = async () => {
    busy.value = true;
    problem.value = null;
    try {
      found.value = await call<ProxyTryView>('POST', `/proxies/${encodeURIComponent(id)}/try`);
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      busy.value = false;
    }
  };
  useEffect(() => {
    if (atOnce && writeBlock.peek() === null) void look();
  }, [id]);
  return (
    <div class="try-proxy">
      <WriteButton block={busy.value ? t('It is being tried.') : null} onClick={() => void look()}>
        {t('SET hello via {id}', { id })}
      </WriteButton>{' '}
      <Copy text={`codis-config proxy try ${id}`} />
      <div role="status">{found.value === null ? null : <Outcome of={found.value} />}</div>
      {problem.value === null ? null : <ProblemBox problem={problem.value} />}
    </div>
  );
}

function Outcome({ of: { addr, ok, problem, slot, steps, totalMs } }: { of: ProxyTryView }) {
  return (
    <>
      <p>
        <Chip level={ok ? 'ok' : 'error'} word={ok ? 'it serves' : 'it does not serve'} />{' '}
        {t('{addr}, slot {slot}, {duration} with connecting', { addr, slot, duration: duration(totalMs) })}
      </p>
      {problem === null ? null : (
        <p class="note">
          <Said text={problem} />
        </p>
      )}
      <ul>
        {steps.map(({ command, reply, ms }) => (
          <li key={command}>
            <code>{command}</code> → <code>{reply}</code> ({duration(ms)})
          </li>
        ))}
      </ul>
    </>
  );
}
