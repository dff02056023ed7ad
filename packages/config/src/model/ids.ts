// The branded ids of the model, and their only constructors. A branded number can't be passed for another one.

import { CodisError } from './errors.ts';

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** How many slots a product has. Codis's number; changing it would re-home every key. */
export const SLOT_COUNT = 1024;

/** 0..1023. */
export type Slot = Brand<number, 'Slot'>;
/** A group's number, 1..9999. */
export type GroupId = Brand<number, 'GroupId'>;
/** A proxy's name, as in `proxy_id`: 1 to 64 of `A-Z a-z 0-9 _ . -`. */
export type ProxyId = Brand<string, 'ProxyId'>;
/** The data version of the `topology` node: 0 when created, one more for each change. */
export type Epoch = Brand<number, 'Epoch'>;
/** A migration's number, 1 and up, never used twice in a product. */
export type MigrationId = Brand<number, 'MigrationId'>;
/** A plan's number, 1 and up, never used twice in a product. */
export type PlanId = Brand<number, 'PlanId'>;
/** A Redis's `host:port`, host in lower case. */
export type ServerAddr = Brand<string, 'ServerAddr'>;

const GROUP_ID_MAX = 9999;
/** Not `.` or `..`: an id is a node's name in the coordinator. */
const PROXY_ID = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,64}$/;
/** A host name, an IPv4 address or an IPv6 address in brackets, then a port. */
const HOST_PORT = /^(?:([A-Za-z0-9_.-]{1,253})|\[([0-9A-Fa-f:.]{2,45})\]):(\d{1,5})$/;

/** Throws CODIS_E_BAD_SLOT unless `value` is a whole number in 0..1023. */
export function asSlot(value: number): Slot {
  if (!Number.isInteger(value) || value < 0 || value >= SLOT_COUNT) {
    throw new CodisError('CODIS_E_BAD_SLOT', `slot ${value} is out of range: slots go from 0 to ${SLOT_COUNT - 1}`);
  }
  return value as Slot;
}

/** Throws CODIS_E_BAD_GROUP unless `value` is a whole number in 1..9999. */
export function asGroupId(value: number): GroupId {
  if (!Number.isInteger(value) || value < 1 || value > GROUP_ID_MAX) {
    throw new CodisError('CODIS_E_BAD_GROUP', `group id ${value} is out of range: group ids go from 1 to ${GROUP_ID_MAX}`);
  }
  return value as GroupId;
}

/** Throws CODIS_E_BAD_PROXY_ID unless `value` is a well-formed proxy id. */
export function asProxyId(value: string): ProxyId {
  if (!PROXY_ID.test(value)) {
    throw new CodisError(
      'CODIS_E_BAD_PROXY_ID',
      `${JSON.stringify(value)} is not a proxy id: use 1 to 64 of the characters A-Z a-z 0-9 _ . -`,
    );
  }
  return value as ProxyId;
}

/** Throws an InvariantError unless `value` is a whole number of 0 or more: epochs come from the coordinator only. */
export function asEpoch(value: number): Epoch {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an epoch: ${value}`);
  return value as Epoch;
}

/** Throws CODIS_E_BAD_MIGRATION unless `value` is a whole number of 1 or more. */
export function asMigrationId(value: number): MigrationId {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new CodisError('CODIS_E_BAD_MIGRATION', `${value} is not a migration id: they are numbers from 1`);
  }
  return value as MigrationId;
}

/** Throws CODIS_E_BAD_PLAN unless `value` is a whole number of 1 or more. */
export function asPlanId(value: number): PlanId {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new CodisError('CODIS_E_BAD_PLAN', `${value} is not a plan id: they are numbers from 1`);
  }
  return value as PlanId;
}

/** `host:port` in its one spelling (host in lower case); throws CODIS_E_BAD_ADDRESS. IPv6 goes in brackets. */
export function asServerAddr(value: string): ServerAddr {
  parseAddr(value);
  return value.toLowerCase() as ServerAddr;
}

/** The two parts of a `host:port`; brackets of an IPv6 host are taken off. Throws CODIS_E_BAD_ADDRESS. */
export function parseAddr(value: string): { host: string; port: number } {
  const match = HOST_PORT.exec(value);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || !(port >= 1 && port <= 65535)) {
    throw new CodisError('CODIS_E_BAD_ADDRESS', `${JSON.stringify(value)} is not an address: write host:port, like 127.0.0.1:6379`);
  }
  return { host: host.toLowerCase(), port };
}
