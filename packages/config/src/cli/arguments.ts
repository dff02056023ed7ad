// Arguments of the command line, checked before anything is asked of anyone.

import type { GroupWeightView, UserRoleName } from '../api/index.ts';
import {
  asGroupId,
  asMigrationId,
  asPlanId,
  asProxyId,
  asServerAddr,
  asSlot,
  CodisError,
  type ErrorCode,
  MEASURES,
  type Measure,
  type ProxyId,
  WEIGHT_MAX,
  zoneProblem,
} from '../model/index.ts';
import { badUsage } from './failures.ts';

export const slotArgument = (text: string) => asSlot(wholeNumber(text, 'CODIS_E_BAD_SLOT', 'a slot: slots are numbers from 0 to 1023'));
export const groupArgument = (text: string) => asGroupId(wholeNumber(text, 'CODIS_E_BAD_GROUP', 'a group id: they are numbers from 1'));
export const migrationArgument = (text: string) =>
  asMigrationId(wholeNumber(text, 'CODIS_E_BAD_MIGRATION', 'a migration id: they are numbers from 1'));
export const planArgument = (text: string) => asPlanId(wholeNumber(text, 'CODIS_E_BAD_PLAN', 'a plan id: they are numbers from 1'));
export const addrArgument = (text: string) => asServerAddr(text);

/** An address is let through: whose it is can be found out (commands/proxy-address.ts). */
export function proxyArgument(text: string): ProxyId {
  return text.includes(':') ? (text as ProxyId) : asProxyId(text);
}

/** `0-511`, or `5`. */
export function slotRangeArgument(text: string): { first: number; last: number } {
  const [first = '', last = first, ...more] = text.split('-');
  if (more.length > 0) throw new CodisError('CODIS_E_BAD_SLOT', `${JSON.stringify(text)} is not a range of slots: write 0-511, or 5`);
  return { first: slotArgument(first), last: slotArgument(last) };
}

/** Codis's `slave` is today's replica. */
export function roleArgument(text: string): 'master' | 'replica' {
  if (text === 'slave' || text === 'replica') return 'replica';
  if (text === 'master') return text;
  throw badUsage(`${JSON.stringify(text)} is not a role: write master, replica or slave`);
}

export function zoneOption(text: string): string {
  const problem = zoneProblem(text);
  if (problem === null) return text;
  throw badUsage(problem);
}

/** Or `none`: it is taken away. */
export const zoneOrNoneOption = (text: string): string => (text === 'none' ? text : zoneOption(text));

export function onOffOption(text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on';
  throw badUsage(`${JSON.stringify(text)} is neither on nor off`);
}

export function onlineArgument(text: string): 'online' | 'offline' {
  if (text === 'online' || text === 'offline') return text;
  throw badUsage(`${JSON.stringify(text)} is not a status: write online or offline`);
}

export function userRoleArgument(text: string): UserRoleName {
  if (text === 'viewer' || text === 'operator' || text === 'admin') return text;
  throw badUsage(`${JSON.stringify(text)} is not a role: write viewer, operator or admin`);
}

export function measureOption(text: string): Measure {
  const measure = MEASURES.find((known) => known === text);
  if (measure) return measure;
  throw badUsage(`${JSON.stringify(text)} is nothing to balance by: write slots, keys or memory`);
}

/** One more `<group>=<n>`. */
export function weightOption(text: string, before: readonly GroupWeightView[] = []): GroupWeightView[] {
  const [group = '', weight, ...rest] = text.split('=');
  if (weight === undefined || rest.length > 0) {
    throw badUsage(`${JSON.stringify(text)} is not a weight: write --weight <group>=<n>, like --weight 3=2`);
  }
  return [...before, { group: groupArgument(group), weight: numberOption('--weight', { min: 0, max: WEIGHT_MAX })(weight) }];
}

/** For options: a whole number in a range. */
export function numberOption(name: string, { min, max }: { min: number; max: number }): (text: string) => number {
  return (text) => {
    const value = wholeNumber(text, 'CODIS_E_BAD_REQUEST', `a value for ${name}: write a whole number from ${min} to ${max}`);
    if (value >= min && value <= max) return value;
    throw badUsage(`${name} is ${value}: write a whole number from ${min} to ${max}`);
  };
}

const CLOCK = /^(\d\d):(\d\d)(?::(\d\d))?$/;
const MOMENT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?$/;

/** A time of day is the last one that the clock of this machine has shown. */
export function momentOf(text: string, now: Date): Date {
  const [, hours, minutes, seconds = '0'] = CLOCK.exec(text) ?? [];
  const at = hours === undefined ? new Date(MOMENT.test(text) ? text : Number.NaN) : new Date(now);
  if (hours !== undefined && Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60) {
    at.setHours(Number(hours), Number(minutes), Number(seconds), 0);
    if (at > now) at.setDate(at.getDate() - 1);
    return at;
  }
  if (hours === undefined && at.getTime() >= 0) return at;
  throw badUsage(`${JSON.stringify(text)} is not a time: write 14:05, 2026-01-31T14:05 by the clock of this machine, or 2026-01-31T14:05Z`);
}

function wholeNumber(text: string, code: ErrorCode, what: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  const message = `${JSON.stringify(text)} is not ${what}`;
  throw code === 'CODIS_E_BAD_REQUEST' ? badUsage(message) : new CodisError(code, message);
}
