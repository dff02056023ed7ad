// Is a pair of groups fit for a move? Found out before slots are locked, and beside the controller's turns: a target with many keys takes seconds to be
// looked through, a server that hangs a few as well, and whoever has slots locked meanwhile must not wait for either.
//
// Invariant: a pair is fit for a moment only, and only as the masters that were looked at; each batch is looked at anew. What takes long is done once: that the
// target holds no key of a migration's slots, and which big keys the source has. Whichever lanes of a migration need the same of these share one look.

import type { Redis } from 'ioredis';
import {
  type Action,
  CodisError,
  type GroupId,
  requireGroup,
  requireMaster,
  type ServerAddr,
  type Slot,
  slotOf,
  slotState,
  targets,
} from '../model/index.ts';
import { probe } from '../redis/probe.ts';
import { lookForBigKeys } from './big-keys/batch.ts';
import { LOOK_TIMEOUT_MS, withControlled } from './controlled.ts';
import { tryHandOver, withAdvice } from './preflight.ts';
import { scanSlots } from './scan.ts';
import { serverTrouble } from './server-trouble.ts';
import { withTarget } from './target.ts';
import { backingOff, budgetOf, guestAt, type Lane, laneKey, type Office, type Outcome, ownWritesAt, PROGRESSED } from './turn.ts';
import type { Job, World } from './world.ts';

type LockAction = Extract<Action, { kind: 'lock' }>;

/** A pair that was seen to be fit. */
export interface Fit {
  readonly source: ServerAddr;
  readonly target: ServerAddr;
  readonly atMs: number;
}

/** For how long. A lock that has to let another one pass has time enough. */
const FIT_FOR_MS = 3000;
const EXAMPLES_MAX = 3;

export function isFit({ memory }: Office, { topology }: World, lane: Lane): boolean {
  const fit = memory.fits.get(laneKey(lane));
  return (
    fit !== undefined &&
    performance.now() - fit.atMs < FIT_FOR_MS &&
    fit.source === requireMaster(topology, lane.from) &&
    fit.target === requireMaster(topology, lane.to)
  );
}

interface Look {
  readonly job: Job;
  readonly action: Pick<LockAction, 'from' | 'to'>;
  /** Aborted when nobody wants to know any more. */
  readonly stop: AbortSignal;
}

/** Looks at both ends of a lane: then it `isFit`, or backs off with the reason why it is not, or has to be looked at again because something took a while. */
export async function look(term: Office, world: World, { job, action: { from, to }, stop }: Look): Promise<Outcome> {
  const office: Office = { ...term, signal: AbortSignal.any([term.signal, stop]) };
  const source = requireMaster(world.topology, from);
  const target = requireMaster(world.topology, to);
  const known = office.memory.cleanTargets.has(targetName(job, target));
  const unfit =
    (await settle(office, job, source)) ??
    (await tryPair(office, { source, target })) ??
    (await findOrphans(office, { world, job, addr: target, group: to }));
  const { obstacle, isNew } = unfit === null ? await findBigKeys(office, job, source) : { obstacle: unfit, isNew: false };
  if (stop.aborted) return PROGRESSED;
  const lane: Lane = { migration: job.migration.id, from, to };
  if (obstacle !== null) return backingOff(office, lane, obstacle);
  if (known && !isNew) office.memory.fits.set(laneKey(lane), { source, target, atMs: performance.now() });
  return PROGRESSED;
}

/** Leaves the source to its clients for what earlier batches owe them. */
function settle(office: Office, { migration }: Job, source: ServerAddr): Promise<string | null> {
  return orTrouble({ source }, () =>
    withControlled(
      office,
      source,
      async (redis) => {
        await guestAt(office, { addr: source, servers: [redis], budget: budgetOf(office, migration) }).settle();
        return null;
      },
      LOOK_TIMEOUT_MS,
    ),
  );
}

/** Both are masters and answer, and the one can hand keys to the other. */
function tryPair(office: Office, { source, target }: { source: ServerAddr; target: ServerAddr }): Promise<string | null> {
  const { product_name: product, product_auth: password } = office.settings;
  const at = <T>(addr: ServerAddr, use: (redis: Redis) => Promise<T>) => withControlled(office, addr, use, LOOK_TIMEOUT_MS);
  return orTrouble({ source }, () =>
    at(source, async (from) => {
      await checkMaster(from, source, product);
      return orTrouble({ target }, () =>
        at(target, async (to) => {
          await checkMaster(to, target, product);
          return tryHandOver({ from, to }, { source, target, product, password, own: ownWritesAt(office, source) });
        }),
      );
    }),
  );
}

/** What `find` says, or the trouble that the server had. */
async function orTrouble(at: { source: ServerAddr } | { target: ServerAddr }, find: () => Promise<string | null>): Promise<string | null> {
  try {
    return await find();
  } catch (error) {
    const [end, addr] = 'source' in at ? ['source', at.source] : ['target', at.target];
    return withAdvice(`the ${end} can't be used: ${serverTrouble(addr, error)}`);
  }
}

/** Throws CODIS_E_SERVER_WRONG_ROLE for what the topology calls a master and is none. */
async function checkMaster(redis: Redis, addr: ServerAddr, product: string): Promise<void> {
  const { role } = await probe(addr, redis, product);
  if (role === 'master') return;
  throw new CodisError('CODIS_E_SERVER_WRONG_ROLE', `${addr} is a replica, though the topology has it as a master; promote the right one`);
}

/** `isNew`: the source was looked through just now. */
async function findBigKeys(office: Office, job: Job, source: ServerAddr): Promise<{ obstacle: string | null; isNew: boolean }> {
  try {
    const isNew = await shared(office, `big keys ${job.migration.id} ${source}`, () => lookForBigKeys(office, job, source));
    return { obstacle: null, isNew };
  } catch (error) {
    return { obstacle: `the source can't be looked through for big keys: ${serverTrouble(source, error)}`, isNew: false };
  }
}

/** What is being done already for the same migration is not done twice. */
function shared<T>({ memory }: Office, what: string, run: () => Promise<T>): Promise<T> {
  const running = memory.looks.get(what) as Promise<T> | undefined;
  if (running) return running;
  const started = run().finally(() => memory.looks.delete(what));
  memory.looks.set(what, started);
  return started;
}

const targetName = ({ migration }: Job, addr: ServerAddr) => `${migration.id} ${addr}`;

interface OrphansAt {
  readonly world: World;
  readonly job: Job;
  readonly addr: ServerAddr;
  readonly group: GroupId;
}

/** Looks for keys at the target that belong to slots it shall get; once for all slots of the migration, for nothing else writes there. */
async function findOrphans(office: Office, at: OrphansAt): Promise<string | null> {
  const name = targetName(at.job, at.addr);
  if (office.memory.cleanTargets.has(name)) return null;
  return orTrouble({ target: at.addr }, () => shared(office, `orphans ${name}`, () => scanForOrphans(office, at)));
}

async function scanForOrphans(office: Office, { world, job, addr, group }: OrphansAt): Promise<string | null> {
  const { product_name: product, product_auth: password } = office.settings;
  const slots = slotsToCome(world, job, group);
  const examples = new Set<string>();
  const scan = async (redis: Redis) => {
    const guest = guestAt(office, { addr, servers: [redis], budget: budgetOf(office, job.migration) });
    for await (const { db, keys } of scanSlots(redis, { addr, slots, product, password, guest })) {
      for (const key of keys) examples.add(`slot ${slotOf(key)} in database ${db}`);
      if (examples.size >= EXAMPLES_MAX) break;
    }
  };
  await withControlled(office, addr, scan, LOOK_TIMEOUT_MS);
  if (examples.size === 0) {
    // A replica that has not heard that keys have left would, as a master, have them as if they were new.
    if (job.migration.durable) await withTarget(office, requireGroup(world.topology, group), (target) => target.replicated());
    office.memory.cleanTargets.add(targetName(job, addr));
    return null;
  }
  // Everybody may read why a migration waits, and not everybody the names of keys.
  return `group ${group}'s master ${addr} holds keys of slots it does not own, like ${[...examples].slice(0, EXAMPLES_MAX).join(', ')}; look at them with: codis-config key mend --group ${group} --dry-run`;
}

function slotsToCome({ topology }: World, { migration }: Job, group: GroupId): ReadonlySet<Slot> {
  const slots = new Set<Slot>();
  for (const [slot, to] of targets(migration)) {
    const state = slotState(topology, slot);
    if (to === group && state.kind === 'online' && state.owner !== group) slots.add(slot);
  }
  return slots;
}
