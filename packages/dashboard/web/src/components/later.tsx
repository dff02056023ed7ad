// A part of a page that comes when it is first shown, so that the others need not wait for it.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../lib/words.ts';

export function Later({ load }: { load: () => Promise<ComponentType> }) {
  const [part, setPart] = useState<{ readonly Part: ComponentType } | 'failed' | null>(null);
  useEffect(() => {
    let gone = false;
    load().then(
      (Part) => {
        if (!gone) setPart({ Part });
      },
      (error: unknown) => {
        // How browsers say that a script can't be loaded: the dashboard is away, or has another version by now.
        if (!(error instanceof TypeError)) throw error;
        if (!gone) setPart('failed');
      },
    );
    return () => {
      gone = true;
    };
  }, []);
  if (part === null) return <p role="status">{t('Reading …')}</p>;
  if (part === 'failed') return <p role="status">{t('This part of the console could not be loaded. Load the page again.')}</p>;
  return <part.Part />;
}
