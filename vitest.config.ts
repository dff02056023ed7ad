// One configuration for every test of the workspace. Cross-package imports resolve to sources, so a unit test never
// runs against a stale build; programs that a test starts run from dist/, which `npm test` builds first.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: [
      {
        find: /^@codis\/(config|proxy|dashboard)\/(.+)$/,
        replacement: `${import.meta.dirname}/packages/$1/src/$2/index.ts`,
      },
    ],
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // On two cores: most of their time tests wait for something to happen.
    maxWorkers: 3,
  },
});
