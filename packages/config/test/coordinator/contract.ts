// What every coordinator driver must do, as one suite of tests: the executable half of src/coordinator/coordinator.ts. A driver's test
// file calls `coordinatorContract` with a way to reach a real store; nothing here knows which store that is.
//
// Each test works in a product of its own, so tests can't see each other's nodes.

import { afterAll, beforeAll, describe } from 'vitest';
import { commitContract } from './contract/commits.ts';
import type { CoordinatorEnvironment } from './contract/environment.ts';
import { Bench } from './contract/environment.ts';
import { ephemeralContract } from './contract/ephemerals.ts';
import { modelContract } from './contract/model.ts';
import { sessionContract } from './contract/sessions.ts';
import { valueContract } from './contract/values.ts';
import { watchContract } from './contract/watches.ts';

export type { CoordinatorEnvironment } from './contract/environment.ts';

/** Declares the suite for the driver called `name`; `makeEnvironment` is called once, before its tests. */
export function coordinatorContract(name: string, makeEnvironment: () => Promise<CoordinatorEnvironment>): void {
  describe(`coordinator contract: ${name}`, () => {
    const bench = new Bench();
    beforeAll(async () => bench.use(await makeEnvironment()));
    afterAll(() => bench.environment.close());
    commitContract(bench);
    ephemeralContract(bench);
    valueContract(bench);
    watchContract(bench);
    sessionContract(bench);
    modelContract(bench);
  });
}
