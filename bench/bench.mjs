// `npm run bench`: everything that is missing, the peers included, then the benchmark. What it does is in src/bench.ts.

import { PEERS, runWith } from '../scripts/bootstrap.mjs';

await runWith({
  programs: ['redis-server', 'redis-cli', ...PEERS],
  build: ['bench', 'packages/proxy', 'packages/dashboard'],
  main: async () => (await import('./dist/bench.js')).bench(process.argv.slice(2)),
});
