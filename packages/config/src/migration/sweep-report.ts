// The record of a migration while it is swept: how many keys were handed over, written at most once a second, so that progress is seen and the
// coordinator is not flooded. The count is for people; nothing is decided by it.

import { migrationPath } from '../coordinator/index.ts';
import { CodisError, decodeMigration } from '../model/index.ts';
import { listProxies, readTopology } from '../operations/index.ts';
import { keepMarkers } from './markers.ts';
import { type Office, saveJob } from './turn.ts';
import type { Job } from './world.ts';

const WRITE_EVERY_MS = 1000;

/** Lives for one sweep. */
export class SweepReport {
  readonly #office: Office;
  #job: Job;
  #writtenAtMs = performance.now();
  #unwritten = false;

  constructor(office: Office, job: Job) {
    this.#office = office;
    this.#job = job;
  }

  /** The job with all that was reported, at the version its record has now. */
  get job(): Job {
    return this.#job;
  }

  /** Counts keys in; now and then writes the record, and does what a controller has to do however long a sweep takes. */
  async handedOver(keysCount: number): Promise<void> {
    const { migration, version } = this.#job;
    const progress = { ...migration.progress, keysSwept: migration.progress.keysSwept + keysCount };
    this.#job = { migration: { ...migration, progress, waiting: null }, version };
    this.#unwritten = true;
    if (performance.now() - this.#writtenAtMs < WRITE_EVERY_MS) return;
    await this.flush();
    const { topology } = await readTopology(this.#office);
    await keepMarkers(this.#office, { topology, proxies: await listProxies(this.#office.coordinator) });
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    if (!this.#unwritten) return;
    this.#job = (await saveJob(this.#office, this.#job, this.#job.migration)) ?? (await this.#merged());
    this.#unwritten = false;
    this.#writtenAtMs = performance.now();
  }

  /** Somebody else wrote the record (it was cancelled, say): theirs, with our count. It is written with the next step. */
  async #merged(): Promise<Job> {
    const { migration } = this.#job;
    const entry = await this.#office.coordinator.read(migrationPath(migration.id));
    if (!entry) throw new CodisError('CODIS_E_CONFLICT', `the record of migration ${migration.id} is gone`);
    return { migration: { ...decodeMigration(entry.data), progress: migration.progress }, version: entry.version };
  }
}
