// `npm test`: everything that is missing, then every check. What it does is in check.mjs, whose first check is the build.

import { CLIENT_LIBRARIES, runWith } from './bootstrap.mjs';
import { check } from './check.mjs';

await runWith({
  programs: ['redis-server', 'redis-cli', 'java', 'ZooKeeper', 'chromium', ...CLIENT_LIBRARIES],
  build: [],
  main: check,
});
