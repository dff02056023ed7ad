// Where codis-dashboard is: config may not import the dashboard, but can start it.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CodisError } from '../model/index.ts';

/** The program's file. Throws CODIS_E_NOT_FOUND. */
export function findDashboard(): string {
  try {
    const manifest = createRequire(import.meta.url).resolve('@codis/dashboard/package.json');
    return join(dirname(manifest), 'bin/codis-dashboard.js');
  } catch (cause) {
    throw new CodisError('CODIS_E_NOT_FOUND', 'the package @codis/dashboard is not installed beside codis-config; install it with npm', {
      cause,
    });
  }
}
