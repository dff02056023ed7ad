// Where things are kept in the coordinator, relative to /codis/<product_name>. DESIGN's table of paths, as code.

import type { MigrationId, PlanId, ProxyId } from '../model/index.ts';

const SEQ_DIGITS = 10;

export const PATHS = {
  topology: 'topology',
  proxies: 'proxies',
  migrations: 'migrations',
  plans: 'plans',
  controller: 'controller',
  /** Persistent; its version counts the elections, so a write that checks it fails once another controller was elected. */
  term: 'term',
  events: 'events',
  /** `mending/<id>`, ephemeral: somebody is cleaning up misplaced keys; no slot is locked or given away meanwhile. */
  mending: 'mending',
  /** `scripts/<sha1>`, `functions/<library>`: what was loaded through any proxy. The version of `scripts` counts how often they were flushed. */
  scripts: 'scripts',
  functions: 'functions',
  /** `users/<name>`, `tokens/<name>`: who may log in; the version of `users` counts its changes. `sessions/<hash>`: who has. */
  users: 'users',
  tokens: 'tokens',
  sessions: 'sessions',
  /** What people said to alerts, by alert: one JSON value. */
  alerts: 'alerts',
} as const;

/** Persistent nodes without a value that hold others; whoever needs one first creates it. */
export const PARENTS = [
  PATHS.proxies,
  PATHS.migrations,
  PATHS.plans,
  PATHS.events,
  PATHS.mending,
  PATHS.scripts,
  PATHS.functions,
  PATHS.users,
  PATHS.tokens,
  PATHS.sessions,
] as const;

export const proxyPath = (id: ProxyId): string => `${PATHS.proxies}/${id}`;
export const proxyLivePath = (id: ProxyId): string => `${PATHS.proxies}/${id}/live`;
/** Zero-padded, so that names sort as numbers do. */
export const migrationPath = (id: MigrationId): string => `${PATHS.migrations}/${String(id).padStart(SEQ_DIGITS, '0')}`;
export const planPath = (id: PlanId): string => `${PATHS.plans}/${String(id).padStart(SEQ_DIGITS, '0')}`;
export const mendingPath = (id: string): string => `${PATHS.mending}/${id}`;
export const scriptPath = (sha: string): string => `${PATHS.scripts}/${sha}`;
export const libraryPath = (name: string): string => `${PATHS.functions}/${name}`;
export const userPath = (name: string): string => `${PATHS.users}/${name}`;
export const tokenPath = (name: string): string => `${PATHS.tokens}/${name}`;
export const sessionPath = (hash: string): string => `${PATHS.sessions}/${hash}`;
export const eventPath = (seq: number): string => `${PATHS.events}/${String(seq).padStart(SEQ_DIGITS, '0')}`;
