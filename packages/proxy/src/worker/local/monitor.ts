// MONITOR. The substance is in monitors.ts.

import type { Monitors } from '../monitors.ts';
import type { Handlers } from './local-commands.ts';

export function monitorCommands(monitors: Monitors): Handlers {
  return [
    [
      'monitor',
      (session) => {
        monitors.add(session);
        return null;
      },
    ],
  ];
}
