// What a change would have done, as --dry-run shows it.

import type { DryRunView } from '../api/index.ts';
import type { Answer } from './output.ts';

export function dryRunAnswer(view: DryRunView): Answer {
  const { would, notes } = view;
  const rows = would.map(({ action, object, before, after, epoch }) => [action, object, before, after, epoch]);
  return {
    json: view,
    headline: 'dry run: nothing was changed; this would be done',
    table: would.length === 0 ? 'nothing' : { head: ['ACTION', 'OBJECT', 'BEFORE', 'AFTER', 'EPOCH'], rows },
    names: would.map(({ action }) => action),
    notes,
  };
}
