// The JSON schemas of the API: they validate requests, shape answers and make up /api/openapi.json. The compiler holds each against its type in
// @codis/config/api, so a client can trust the types.

import type {
  AddGroupRequest,
  AddServerRequest,
  AdoptMigrationRequest,
  AssignRangeRequest,
  CancelMigrationRequest,
  ChangeView,
  CreateMigrationRequest,
  EventsView,
  EventView,
  GroupsView,
  GroupView,
  InitSlotsRequest,
  MigrationsView,
  MigrationView,
  ProblemView,
  PromoteServerRequest,
  ProxiesView,
  ProxyEntryView,
  ProxyRemovedView,
  ProxyWantedRequest,
  ProxyWantedView,
  ReplicateServerRequest,
  SetServerRequest,
  SlotsView,
  SlotView,
  StatusView,
  ThrottleRequest,
  TopologyView,
} from '@codis/config/api';
import { SLOT_COUNT } from '@codis/config/model';
import Type, { type Static, type TProperties, type TSchema, type TUnsafe } from 'typebox';
import { PROBLEM_TYPE } from './problems.ts';

type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? unknown : never) : never;

/** `schema`, typed as `View`; does not compile unless it describes exactly that. */
export function describes<View>() {
  return <Schema extends TSchema>(schema: Schema & Same<Frozen<Static<Schema>>, View>): TUnsafe<View> => Type.Unsafe<View>(schema);
}

export const object = <Properties extends TProperties>(properties: Properties) => Type.Object(properties, { additionalProperties: false });
export const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
export const words = <const Word extends string>(...values: Word[]) => Type.Enum(values);

export const Slot = Type.Integer({ minimum: 0, maximum: SLOT_COUNT - 1, description: 'a slot' });
export const GroupId = Type.Integer({ minimum: 1, maximum: 9999, description: 'a group' });
export const MigrationId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'a migration' });
export const ProxyId = Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$', description: 'a proxy' });
export const Addr = Type.String({ minLength: 3, maxLength: 270, description: 'host:port' });
export const Count = Type.Integer({ minimum: 0 });
export const UnixSeconds = Type.Integer({ minimum: 0, maximum: 99_999_999_999, description: 'Unix time in seconds' });
export const Time = Type.String({ description: 'ISO 8601' });
const DelayMs = Type.Integer({ minimum: 0, maximum: 60_000, description: 'pause between two batches of keys' });
const Role = words('master', 'replica');
const Wanted = words('online', 'offline');

const slotState = {
  state: words('offline', 'online', 'locked', 'migrating'),
  group: nullable(GroupId),
  to: nullable(GroupId),
  migration: nullable(MigrationId),
};
const SlotRun = object({ first: Slot, last: Slot, ...slotState });
const Zone = Type.String({ pattern: '^[A-Za-z0-9._-]{1,32}$', description: 'where a server stands, a label of the operator' });
const server = { addr: Addr, role: Role, zone: nullable(Zone), replicaReads: Type.Boolean() };
const Group = object({ id: GroupId, slotsCount: Count, servers: Type.Array(object(server)) });
const ProxyEntry = object({
  id: ProxyId,
  addr: Type.String(),
  adminAddr: Type.String(),
  wanted: Wanted,
  state: words('joining', 'online', 'behind', 'draining', 'offline', 'lost'),
  epoch: nullable(Count),
  pid: nullable(Count),
  startedAt: nullable(Time),
});
const Migration = object({
  id: MigrationId,
  state: words('running', 'paused', 'done', 'cancelled'),
  moves: Type.Array(object({ first: Slot, last: Slot, to: GroupId })),
  throttle: object({
    delayMs: Count,
    keysPerSecond: nullable(Count),
    bytesPerSecond: nullable(Count),
    addedP99Ms: nullable(Count),
    sharePercent: nullable(Count),
    slotsAtOnce: nullable(Count),
    window: nullable(Type.String()),
  }),
  durable: Type.Boolean(),
  slotsTotal: Count,
  slotsDone: Count,
  keysSwept: Count,
  bytesSwept: Count,
  keysLeft: nullable(Count),
  keysPerSecond: nullable(Count),
  secondsLeft: nullable(Count),
  retries: Count,
  verified: nullable(object({ slotsCount: Count, batchesCount: Count, keysLooked: Count, withoutPassCount: Count, text: Type.String() })),
  takesBack: nullable(MigrationId),
  takenBackBy: nullable(MigrationId),
  waiting: nullable(Type.String()),
  resumesAt: nullable(Time),
  stalled: nullable(object({ since: Time, reason: Type.String() })),
  actor: Type.String(),
  comment: nullable(Type.String()),
  createdAt: Time,
  endedAt: nullable(Time),
});
const Event = object({
  seq: Count,
  at: Time,
  actor: Type.String(),
  via: words('user', 'token', 'claimed', 'system'),
  ip: nullable(Type.String()),
  action: Type.String(),
  object: Type.String(),
  before: nullable(Type.String()),
  after: nullable(Type.String()),
  epoch: nullable(Count),
  result: words('done', 'denied', 'failed'),
  detail: nullable(Type.String()),
  migration: nullable(MigrationId),
  plan: nullable(Count),
});
const ServerStatus = object({
  ...server,
  up: Type.Boolean(),
  observedRole: nullable(Role),
  linkUp: nullable(Type.Boolean()),
  sync: nullable(object({ readBytes: Count, totalBytes: nullable(Count) })),
  version: nullable(Type.String()),
  keysCount: nullable(Count),
  usedMemoryBytes: nullable(Count),
  maxMemoryBytes: nullable(Count),
  replicates: nullable(Type.String()),
  offset: nullable(Count),
  lagBytes: nullable(Count),
  lagSeconds: nullable(Count),
  opsPerSecond: nullable(Count),
  uptimeSeconds: nullable(Count),
  problem: nullable(Type.String()),
});
/** What an answer is about. */
export const ObjectOf = object({
  kind: words('cluster', 'slot', 'group', 'server', 'proxy', 'migration', 'plan', 'coordinator', 'dashboard', 'user', 'token'),
  id: Type.String(),
});
export const Try = object({
  label: Type.String(),
  cli: nullable(Type.String()),
  api: nullable(object({ method: words('GET', 'POST', 'PUT', 'DELETE'), path: Type.String(), body: nullable(Type.String()) })),
});
const Cause = object({
  severity: words('problem', 'warning'),
  text: Type.String(),
  object: ObjectOf,
  since: Time,
  try: Type.Array(Try),
});
const notes = Type.Array(Type.String());

export const TopologySchema = describes<TopologyView>()(object({ epoch: Count, slots: Type.Array(SlotRun), groups: Type.Array(Group) }));
export const SlotsSchema = describes<SlotsView>()(object({ epoch: Count, slots: Type.Array(SlotRun) }));
/** Of a slot's last move. */
export const lastMove = { at: Time, migration: MigrationId, from: GroupId, to: GroupId };
export const SlotSchema = describes<SlotView>()(
  object({ epoch: Count, slot: Slot, ...slotState, server: nullable(Addr), lastMove: nullable(object(lastMove)) }),
);
export const GroupsSchema = describes<GroupsView>()(object({ epoch: Count, groups: Type.Array(Group) }));
export const GroupSchema = describes<GroupView>()(Group);
export const ChangeSchema = describes<ChangeView>()(object({ epoch: Count, notes }));
export const ProxiesSchema = describes<ProxiesView>()(object({ proxies: Type.Array(ProxyEntry) }));
export const ProxySchema = describes<ProxyEntryView>()(ProxyEntry);
export const ProxyRemovedSchema = describes<ProxyRemovedView>()(object({ proxy: ProxyEntry, notes }));
export const ProxyWantedSchema = describes<ProxyWantedView>()(object({ proxy: ProxyEntry, takenUp: Type.Boolean(), notes }));
export const MigrationSchema = describes<MigrationView>()(Migration);
export const MigrationsSchema = describes<MigrationsView>()(object({ migrations: Type.Array(Migration) }));
export const EventSchema = describes<EventView>()(Event);
export const EventsSchema = describes<EventsView>()(object({ events: Type.Array(Event), older: nullable(Count) }));
export const StatusSchema = describes<StatusView>()(
  object({
    product: Type.String(),
    verdict: words('healthy', 'degraded', 'empty'),
    summary: Type.String(),
    since: Time,
    problems: notes,
    warnings: notes,
    causes: Type.Array(Cause),
    keys: object({ knownCount: Count, estimatedCount: nullable(Count), unknownGroups: Type.Array(GroupId) }),
    epoch: nullable(Count),
    slots: object({ total: Count, served: Count, offline: Count, moving: Count }),
    groups: Type.Array(object({ id: GroupId, slotsCount: Count, servers: Type.Array(ServerStatus) })),
    proxies: Type.Array(ProxyEntry),
    migrationsRunning: Count,
    elected: Type.Boolean(),
    readAt: Time,
  }),
);
const ProblemSchema = describes<ProblemView>()(
  object({
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
    try: notes,
    retryable: Type.Boolean(),
  }),
);

export const InitSlotsBody = describes<InitSlotsRequest>()(object({ force: Type.Optional(Type.Boolean()) }));
export const AssignRangeBody = describes<AssignRangeRequest>()(object({ first: Slot, last: Slot, group: nullable(GroupId) }));
export const AddGroupBody = describes<AddGroupRequest>()(object({ group: GroupId }));
export const AddServerBody = describes<AddServerRequest>()(
  object({ addr: Addr, role: words('master', 'replica', 'slave'), force: Type.Optional(Type.Boolean()), zone: Type.Optional(Zone) }),
);
export const SetServerBody = describes<SetServerRequest>()(
  object({
    zone: Type.Optional(nullable(Zone)),
    replicaReads: Type.Optional(
      Type.Boolean({ description: 'whether clients that said READONLY may be answered by it while it is a replica' }),
    ),
  }),
);
export const PromoteServerBody = describes<PromoteServerRequest>()(object({ force: Type.Optional(Type.Boolean()) }));
export const ReplicateServerBody = describes<ReplicateServerRequest>()(object({ force: Type.Optional(Type.Boolean()) }));
export const ProxyWantedBody = describes<ProxyWantedRequest>()(
  object({
    wanted: Wanted,
    drainSeconds: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 3600, description: 'with offline: how long clients may go on before they are disconnected' }),
    ),
  }),
);
const limit = (maximum: number, description: string) =>
  Type.Optional(nullable(Type.Integer({ minimum: 1, maximum, description: `${description}; null: no limit` })));
const WINDOW = '^([01]\\d|2[0-3]):[0-5]\\d-(([01]\\d|2[0-3]):[0-5]\\d|24:00)$';
const throttle = {
  delayMs: Type.Optional(DelayMs),
  keysPerSecond: limit(1_000_000_000, 'keys handed over in a second'),
  bytesPerSecond: limit(1_000_000_000_000, 'bytes of memory handed over in a second'),
  addedP99Ms: limit(1000, 'milliseconds that one batch may block the source, and so add to what a request waits'),
  sharePercent: Type.Optional(
    nullable(Type.Integer({ minimum: 1, maximum: 100, description: 'percent of the source’s time; null: what its clients leave' })),
  ),
  slotsAtOnce: Type.Optional(
    nullable(
      Type.Integer({
        minimum: 1,
        maximum: SLOT_COUNT,
        description: 'slots of one pair of groups that are in a move at a time; null: as many as is good',
      }),
    ),
  ),
  window: Type.Optional(
    nullable(
      Type.String({
        pattern: WINDOW,
        description: 'times of day between which it runs, like 22:30-06:00, by the local clock of the controller; null: at any time',
      }),
    ),
  ),
};
/** How slots are to be moved: by a migration, or by a plan that is applied. */
export const manner = {
  durable: Type.Optional(Type.Boolean({ description: 'keys leave the source only when all replicas of the target have them' })),
  comment: Type.Optional(Type.String({ maxLength: 500, description: 'why, for who looks at it later' })),
  ...throttle,
};
export const AdoptMigrationBody = describes<AdoptMigrationRequest>()(object({ ...throttle, dryRun: Type.Optional(Type.Boolean()) }));
/** A cancel may come without a body. */
export const CancelMigrationBody = describes<CancelMigrationRequest | null>()(
  nullable(
    object({
      rollBack: Type.Optional(
        Type.Enum(['current', 'all'], {
          description:
            'what goes back where it came from, by another migration: the slots that are under way, or also those that have moved',
        }),
      ),
    }),
  ),
);
export const ThrottleBody = describes<ThrottleRequest>()(object(throttle));
export const CreateMigrationBody = describes<CreateMigrationRequest>()(
  object({
    moves: Type.Array(object({ first: Slot, last: Slot, to: GroupId }), { minItems: 1, maxItems: SLOT_COUNT }),
    ...manner,
  }),
);

const problem = { description: 'What went wrong and what to do', content: { [PROBLEM_TYPE]: { schema: ProblemSchema } } };

/** The answers of a route: its view, or a problem. */
export function answers<Schema extends TSchema>(schema: Schema) {
  return { 200: schema, '4xx': problem, '5xx': problem };
}
