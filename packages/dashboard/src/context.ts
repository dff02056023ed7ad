// What every route is given, and how a request becomes the caller of an operation.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Coordinator } from '@codis/config/coordinator';
import { asEpoch, CodisError, type Migration } from '@codis/config/model';
import type { Caller, Expecting } from '@codis/config/operations';
import type { Settings } from '@codis/config/settings';
import type { StatusReader } from '@codis/config/status';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { AlertKeeper } from './alerts/keeper.ts';
import { addressOf } from './auth/address.ts';
import type { Identity } from './auth/policy.ts';
import { isDryRun } from './dry-run.ts';
import type { LiveHub } from './live/hub.ts';
import type { HotKeyWatch } from './observe/hot-key-watch.ts';
import type { Observer } from './observe/observer.ts';
import type { ProxyWatch } from './observe/proxies.ts';
import type { SlotWatch } from './observe/slot-watch.ts';
import type { Surveys } from './observe/surveys.ts';

/** The app with schemas that type their routes. */
export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>;

/** What the API needs to know of the controller in the same process. */
export interface ControllerStatus {
  status(): { readonly elected: boolean };
}

export interface Context {
  readonly coordinator: Coordinator;
  readonly controller: ControllerStatus;
  readonly settings: Settings;
  readonly status: StatusReader;
  /** All of them; those that have ended are read once. */
  readonly migrations: () => Promise<Migration[]>;
  readonly proxies: ProxyWatch;
  readonly observer: Observer;
  readonly alerts: AlertKeeper;
  readonly slotWatch: SlotWatch;
  readonly hotKeyWatch: HotKeyWatch;
  readonly surveys: Surveys;
  readonly hub: LiveHub;
  /** Who a request comes from, as of now. */
  identify(request: FastifyRequest): Promise<Identity | null>;
}

const ETAG = /^"(\d{1,15})"$/;

/** Who asks, as an operation wants to know it. The gate before all routes has found out (auth/guard.ts). */
export function callerOf({ coordinator, settings }: Context, request: FastifyRequest): Caller {
  const ip = addressOf(request);
  const { name = 'nobody', via = 'claimed' } = request.identity ?? {};
  const asked = { actor: `${name}@${ip}`, via, ip, dryRun: isDryRun(request) };
  return { coordinator, product: settings.product_name, password: settings.product_auth, ...asked };
}

/** What `If-Match` asks for: the ETag of the topology that the client decided on. */
export function expectingOf(request: FastifyRequest): Expecting {
  const header = request.headers['if-match'];
  if (header === undefined || header === '*') return {};
  const epoch = ETAG.exec(header)?.[1];
  if (epoch === undefined) {
    throw new CodisError('CODIS_E_BAD_REQUEST', `If-Match is ${JSON.stringify(header)}: send the ETag of GET /api/v1/topology, like "12"`);
  }
  return { expectedEpoch: asEpoch(Number(epoch)) };
}

export const etagOf = (epoch: number): string => `"${epoch}"`;
