// `npm test`: everything that is missing, then every check. What it does is in check.mjs, whose first check is the build.

import { runWith } from './bootstrap.mjs';
import { check } from './check.mjs';

await runWith({
  programs: ['redis-server', 'redis-cli', 'java', 'ZooKeeper'],
  build: [],
  main: check,
});
