// Something that is asked for when a page is shown, with the three ways that can go.

import type { ReadonlySignal } from '@preact/signals';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { asProblem, get, type Problem } from './api.ts';

const SETTLED_MS = 150;

export interface Resource<View> {
  /** The newest answer; null before the first. */
  readonly view: View | null;
  readonly problem: Problem | null;
  readonly busy: boolean;
  readonly reload: () => void;
}

/** `path` below /api/v1; asked for again when it changes, or one of `again`. While a problem is shown, so is the last answer. */
export function useResource<View>(path: string, again: readonly unknown[] = []): Resource<View> {
  const view = useSignal<View | null>(null);
  const problem = useSignal<Problem | null>(null);
  const busy = useSignal(false);
  const asked = useSignal(0);
  useEffect(() => {
    let late = false;
    busy.value = true;
    const ask = async () => {
      try {
        const found = await get<View>(path);
        if (late) return;
        view.value = found;
        problem.value = null;
      } catch (error) {
        if (!late) problem.value = asProblem(error);
      } finally {
        if (!late) busy.value = false;
      }
    };
    // Not at every letter of a filter that is being typed.
    const timer = setTimeout(() => void ask(), view.peek() === null ? 0 : SETTLED_MS);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [path, asked.value, ...again]);
  return {
    view: (view as ReadonlySignal<View | null>).value,
    problem: problem.value,
    busy: busy.value,
    reload: () => {
      asked.value++;
    },
  };
}
