// Mending misplaced keys: keys in a group whose slot another group owns. They are handed to their owner by the rule of moves (the owner's copy wins), or
// deleted; which, is the operator's choice, for nobody can tell a key that went astray from one that was deleted at its owner long ago.
//
// Why it can't hurt a slot that begins to move here meanwhile:
//   1. a claim stands: no slot is locked, assigned or taken offline (operations/mend-claim.ts), and slots that were in a move before are left alone;
//   2. each batch is allowed for LEASE_MS by the clock of the server that runs it, and that time begins before the claim is proven to stand. A
//      claim outlives its last proof by longer than that, so a batch that comes late (this process froze) finds its time over and does nothing.
//
// Invariant: a batch runs only while each of its keys belongs to a slot that is online in another group, on another Redis process.

import type { Redis } from 'ioredis';
import { scanSlots, serverTrouble } from '../migration/index.ts';
import {
  CodisError,
  findGroup,
  type GroupId,
  masterOf,
  parseAddr,
  requireMaster,
  type ServerAddr,
  type Slot,
  slotOf,
  slotState,
  type Topology,
} from '../model/index.ts';
import { type Caller, checkExpected, claimMend, type Expecting, type MendClaim, probeServer, readTopology } from '../operations/index.ts';
import { withRedis } from '../redis/probe.ts';
import { foreignSlots } from './owners.ts';
import { byOwner, type ExampleKey, type SlotTally, tallyKeys } from './tally.ts';

export type MendAction = 'preview' | 'move' | 'delete';

export interface MendRequest extends Expecting {
  readonly group: GroupId;
  readonly action: MendAction;
  /** Both ends included; all slots when absent. */
  readonly slots?: { readonly first: Slot; readonly last: Slot };
}

export interface MendResult {
  readonly epoch: number;
  readonly slots: readonly SlotTally[];
  readonly exact: boolean;
  readonly examples: readonly ExampleKey[];
  readonly movedCount: number;
  readonly deletedCount: number;
  readonly notes: readonly string[];
}

/** Well under the shortest session timeout there can be (zk_session_timeout, 1000 ms). */
const LEASE_MS = 500;
/** A busy machine may need several attempts to get a batch to the server within its lease. */
const ATTEMPTS_MAX = 20;
const BATCH_KEYS = 100;
const MIGRATE_MS = 5000;
/** A batch of large keys takes its time. */
const COMMAND_MS = 60_000;

/** KEYS: the keys. ARGV: until when (milliseconds of the server's clock), then for a move: host, port, database, timeout in ms and password of the owner.
 *  Replies how many were moved, how many deleted, and the error that stopped it ('' for none); or -1, 0, '' when it came too late. */
const MEND_SCRIPT = `
if redis.replicate_commands then redis.replicate_commands() end
local now = redis.call('TIME')
if now[1] * 1000 + now[2] / 1000 > tonumber(ARGV[1]) then return {-1, 0, ''} end
local moved, deleted = 0, 0
for i = 1, #KEYS do
  local busy = #ARGV == 1
  if not busy then
    local call = {'MIGRATE', ARGV[2], ARGV[3], KEYS[i], ARGV[4], ARGV[5]}
    if ARGV[6] ~= '' then
      call[#call + 1] = 'AUTH'
      call[#call + 1] = ARGV[6]
    end
    local reply = redis.pcall(unpack(call))
    if reply.err then
      busy = string.find(reply.err, 'BUSYKEY', 1, true)
      if not busy then return {moved, deleted, reply.err} end
    elseif reply.ok == 'OK' then
      moved = moved + 1
    end
  end
  if busy then deleted = deleted + redis.call('DEL', KEYS[i]) end
end
return {moved, deleted, ''}
`.trim();

/** Looks for misplaced keys in a group, and unless it is a preview moves or deletes them. Throws CODIS_E_UNKNOWN_GROUP, CODIS_E_NO_MASTER, CODIS_E_BAD_SLOT,
 *  CODIS_E_SLOT_IN_MOVE for slots asked for by number that are in a move, CODIS_E_SERVER_EXISTS when both groups have the same Redis,
 *  CODIS_E_SERVER_WRONG_ROLE, CODIS_E_SERVER_UNREACHABLE, CODIS_E_NOT_REDIS, CODIS_E_SERVER_REFUSED, CODIS_E_STALE or CODIS_E_CONFLICT. */
export async function mendKeys(caller: Caller, request: MendRequest): Promise<MendResult> {
  const { epoch, topology } = await readTopology(caller);
  checkExpected(epoch, request);
  checkRange(topology, request);
  const { owners, notes } = mendable(topology, request);
  await checkServers(caller, topology, { group: request.group, owners });
  if (request.action === 'preview') return preview(caller, { request, epoch, topology, owners, notes });
  const claim = await claimMend(caller, {
    ...request,
    ...mendedText(request.group, request.action),
    object: objectText(request),
  });
  try {
    return await new Mending(caller, { request, claim, notes }).run();
  } finally {
    await claim.release();
  }
}

/** What mending does, for the audit log. */
export function mendedText(group: number, action: 'move' | 'delete') {
  const before = `in group ${group}`;
  return action === 'move'
    ? ({ action: 'key.move', before, after: 'at their owners' } as const)
    : ({ action: 'key.delete', before, after: 'deleted' } as const);
}

function objectText({ group, slots, action }: MendRequest): string {
  const which = slots ? ` of slots ${slots.first}-${slots.last}` : '';
  return `misplaced keys${which} in group ${group} → ${action === 'move' ? 'their owners' : 'deleted'}`;
}

function checkRange(topology: Topology, { slots }: MendRequest): void {
  if (!slots) return;
  if (slots.last < slots.first) throw new CodisError('CODIS_E_BAD_SLOT', `the range ${slots.first}..${slots.last} runs backwards`);
  for (let slot: number = slots.first; slot <= slots.last; slot++) {
    const state = slotState(topology, slot as Slot);
    if (state.kind !== 'locked' && state.kind !== 'migrating') continue;
    throw new CodisError(
      'CODIS_E_SLOT_IN_MOVE',
      `slot ${slot} is being moved by migration ${state.migration}; its keys can be mended when it has arrived`,
    );
  }
}

interface Mendable {
  /** The slots whose keys may be mended, and who owns each. */
  readonly owners: ReadonlyMap<Slot, GroupId>;
  readonly notes: readonly string[];
}

function mendable(topology: Topology, { group, slots }: MendRequest): Mendable {
  const owners = new Map<Slot, GroupId>();
  const moving: Slot[] = [];
  for (const [slot, owner] of foreignSlots(topology, group)) {
    if (slots && (slot < slots.first || slot > slots.last)) continue;
    if (owner !== null && slotState(topology, slot).kind === 'online') owners.set(slot, owner);
    else if (owner !== null) moving.push(slot);
  }
  const notes = moving.length === 0 ? [] : [`${moving.length} slots are in a move (slot ${moving[0]} for one); their keys were left alone`];
  return { owners, notes };
}

/** Two groups whose master is one Redis see each other's keys as misplaced; mending them would delete the only copy. */
async function checkServers(
  caller: Caller,
  topology: Topology,
  { group, owners }: { group: GroupId; owners: ReadonlyMap<Slot, GroupId> },
): Promise<void> {
  const here = await probeMaster(caller, topology, group);
  for (const owner of new Set(owners.values())) {
    const there = await probeMaster(caller, topology, owner);
    if (there.runId !== here.runId) continue;
    throw new CodisError(
      'CODIS_E_SERVER_EXISTS',
      `${here.addr} of group ${group} and ${there.addr} of group ${owner} are the same Redis, so what looks misplaced is where it belongs; take one of them out of its group`,
    );
  }
}

async function probeMaster(caller: Caller, topology: Topology, group: GroupId) {
  const probe = await probeServer(requireMaster(topology, group), caller);
  if (probe.role === 'master') return probe;
  throw new CodisError(
    'CODIS_E_SERVER_WRONG_ROLE',
    `${probe.addr}, the master of group ${group}, is itself a replica; mend that first (codis-config doctor)`,
  );
}

async function preview(caller: Caller, plan: Mendable & { request: MendRequest; epoch: number; topology: Topology }): Promise<MendResult> {
  const tally = await tallyKeys({
    addr: requireMaster(plan.topology, plan.request.group),
    product: caller.product,
    password: caller.password,
    foreign: plan.owners,
    masterOf: (group) => masterAddr(plan.topology, group),
  });
  return { ...tally, epoch: plan.epoch, movedCount: 0, deletedCount: 0, notes: plan.notes };
}

export function masterAddr(topology: Topology, id: GroupId): ServerAddr | null {
  const group = findGroup(topology, id);
  return (group && masterOf(group)) ?? null;
}

/** One mending, while its claim stands. */
class Mending {
  readonly #caller: Caller;
  readonly #request: MendRequest;
  readonly #claim: MendClaim;
  readonly #notes: readonly string[];
  readonly #slots = new Map<Slot, { owner: GroupId; keysCount: number }>();
  #movedCount = 0;
  #deletedCount = 0;

  constructor(caller: Caller, { request, claim, notes }: { request: MendRequest; claim: MendClaim; notes: readonly string[] }) {
    this.#caller = caller;
    this.#request = request;
    this.#claim = claim;
    this.#notes = notes;
  }

  /** One pass: no key can become misplaced while the claim stands, and SCAN gives every key that is there. */
  async run(): Promise<MendResult> {
    const { topology } = await this.#claim.prove();
    const { owners } = mendable(topology, this.#request);
    await checkServers(this.#caller, topology, { group: this.#request.group, owners });
    const source = requireMaster(topology, this.#request.group);
    const { password, product } = this.#caller;
    try {
      await withRedis(source, { password, timeoutMs: COMMAND_MS }, async (redis) => {
        for await (const { db, keys } of scanSlots(redis, { addr: source, slots: new Set(owners.keys()), product, password })) {
          for (const [owner, own] of byOwner(keys, owners)) {
            for (let at = 0; at < own.length; at += BATCH_KEYS) {
              await this.#batch(redis, { source, owner, db, keys: own.slice(at, at + BATCH_KEYS) });
            }
          }
        }
      });
    } catch (error) {
      if (error instanceof CodisError) throw error;
      throw this.#refused(serverTrouble(source, error));
    }
    return this.#result((await this.#claim.prove()).epoch);
  }

  async #batch(redis: Redis, batch: { source: ServerAddr; owner: GroupId; db: number; keys: readonly Buffer[] }): Promise<void> {
    const { keys, source, owner } = batch;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const [seconds = 0, micros = 0] = (await redis.time()).map(Number);
      const { topology } = await this.#claim.prove();
      const target = this.#checkOwner(topology, batch);
      const args = [Math.floor(seconds * 1000 + micros / 1000) + LEASE_MS, ...(target === null ? [] : this.#targetArgs(target, batch.db))];
      const reply = (await redis.eval(MEND_SCRIPT, keys.length, ...keys, ...args)) as [number, number, string];
      const [moved, deleted, trouble] = reply;
      if (moved < 0) continue;
      this.#movedCount += moved;
      this.#deletedCount += deleted;
      if (trouble !== '') throw this.#refused(`${source} answered: ${trouble}`);
      for (const key of keys) this.#count(slotOf(key), owner);
      return;
    }
    throw new CodisError('CODIS_E_TIMEOUT', `${source} was reached too late ${ATTEMPTS_MAX} times in a row; ${this.#doneText()}`);
  }

  /** Where the keys go: the owner's master, or null when they are deleted. Throws when the topology no longer says what the batch rests on. */
  #checkOwner(
    topology: Topology,
    { source, owner, keys }: { source: ServerAddr; owner: GroupId; keys: readonly Buffer[] },
  ): ServerAddr | null {
    const stands =
      masterAddr(topology, this.#request.group) === source &&
      keys.every((key) => {
        const state = slotState(topology, slotOf(key));
        return state.kind === 'online' && state.owner === owner;
      });
    if (!stands) throw new CodisError('CODIS_E_CONFLICT', `the topology changed while keys were being mended; ${this.#doneText()}`);
    return this.#request.action === 'delete' ? null : requireMaster(topology, owner);
  }

  #targetArgs(target: ServerAddr, db: number): (string | number)[] {
    const { host, port } = parseAddr(target);
    return [host, port, db, MIGRATE_MS, this.#caller.password];
  }

  #count(slot: Slot, owner: GroupId): void {
    const counted = this.#slots.get(slot) ?? { owner, keysCount: 0 };
    this.#slots.set(slot, counted);
    counted.keysCount++;
  }

  #doneText(): string {
    return `${this.#movedCount} keys were moved and ${this.#deletedCount} deleted before that; run it again for the rest`;
  }

  #refused(what: string): CodisError {
    return new CodisError('CODIS_E_SERVER_REFUSED', `${what}; ${this.#doneText()}`);
  }

  #result(epoch: number): MendResult {
    const slots = [...this.#slots].sort(([a], [b]) => a - b).map(([slot, counted]) => ({ slot, ...counted, atOwnerCount: null }));
    const [movedCount, deletedCount] = [this.#movedCount, this.#deletedCount];
    return { epoch, slots, exact: true, examples: [], movedCount, deletedCount, notes: this.#notes };
  }
}
