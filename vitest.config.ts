// One configuration for every test of the workspace. Cross-package imports resolve to sources, so a unit test never
// runs against a stale build; programs that a test starts run from dist/, which `npm test` builds first.

import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Take half a minute, or a quarter, and are short to read. They begin first: in a fresh checkout, where no time is known, vitest goes by size, and the last of them would end alone. Of those
 *  that stand side by side one keeps a core busy and the next one waits. */
const LONG = [
  'test/sim/slot-machine.test.ts',
  'packages/config/test/migration/crash.test.ts',
  'test/faults/proxies.test.ts',
  'test/console/hot-minute.test.ts',
  'packages/config/test/migration/big-keys/crash.test.ts',
  'test/differential/moving.test.ts',
  'test/clients.test.ts',
  'test/faults/links.test.ts',
  'packages/config/test/migration/estimate.test.ts',
  'test/faults/durable.test.ts',
  'test/cluster-clients.test.ts',
  'test/faults/controller.test.ts',
  'test/faults/given-up.test.ts',
  'test/bench-programs.test.ts',
  'test/proxy-stopping.test.ts',
  'test/faults/servers.test.ts',
  'packages/config/test/coordinator/zookeeper.test.ts',
  'test/faults/zookeeper.test.ts',
  'test/faults/frozen-worker.test.ts',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.indexOf(relative(import.meta.dirname, moduleId));
      return at < 0 ? LONG.length : at;
    };
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}

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
    sequence: { sequencer: LongFirst },
  },
});
