// `npm start`: everything that is missing, then a cluster on 127.0.0.1. What it does is in src/start.ts.

import { runWith } from './bootstrap.mjs';

await runWith({
  programs: ['redis-server'],
  build: ['scripts', 'packages/proxy', 'packages/dashboard'],
  main: async () => (await import('./dist/start.js')).start(process.argv.slice(2)),
});
