// Below a list of which only the newest part is here: a button for the part before.

import { t } from '../lib/words.ts';
import { Button } from './button.tsx';

interface OlderProps {
  /** How many are here. */
  readonly count: number;
  /** What they are: events. */
  readonly what: string;
  readonly isBusy: boolean;
  readonly onAsk: () => void;
}

export function Older({ count, what, isBusy, onAsk }: OlderProps) {
  return (
    <p class="actions">
      <Button block={isBusy ? t('They are being read.') : null} onClick={onAsk}>
        {t('Older {what}', { what })}
      </Button>
      <span class="hint" role="status">
        {isBusy ? t('Reading …') : t('The newest {count} are here, and a filter looks at these.', { count })}
      </span>
    </p>
  );
}
