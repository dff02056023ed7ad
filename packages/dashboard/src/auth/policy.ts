// Who may call what. Pure, and the only place that decides it: a route that says nothing gets what its method and path ask for, so none can be forgotten.

import { CodisError } from '@codis/config/model';
import type { UserRole } from '@codis/config/operations';

/** What a route asks for. `public`: nothing, not even a login. `own`: to be logged in, whatever the role; it concerns nobody else. */
export type Access = 'public' | 'own' | UserRole;

/** Who calls. */
export interface Identity {
  readonly name: string;
  readonly role: UserRole;
  readonly via: 'user' | 'token' | 'claimed';
  /** What a call by cookie must bring along; null where there is no cookie. */
  readonly csrf: string | null;
}

export interface Call {
  readonly method: string;
  /** Of the route: `/api/v1/groups/:group`. */
  readonly path: string;
  /** What the route says of itself. */
  readonly access: Access | undefined;
  /** The header x-codis-csrf. */
  readonly csrf: string | undefined;
}

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
const RANK: Readonly<Record<UserRole, number>> = { viewer: 0, operator: 1, admin: 2 };

/** Whether `role` may do what `wanted` may. */
export const hasRole = (role: UserRole, wanted: UserRole): boolean => RANK[role] >= RANK[wanted];

export const isRead = (method: string): boolean => READS.has(method);

/** Pages and their parts hold no data, so who has to log in can get as far as being asked to. */
export function accessOf({ method, path, access }: Pick<Call, 'method' | 'path' | 'access'>): Access {
  if (access !== undefined) return access;
  if (!isRead(method)) return 'operator';
  return path.startsWith('/api/') || path === '/metrics' ? 'viewer' : 'public';
}

/** Why a call is refused; null when it is not. `identity`: null without a login. */
export function refusal(call: Call, identity: Identity | null, { readOnly }: { readOnly: boolean }): CodisError | null {
  const access = accessOf(call);
  if (access === 'public') return null;
  if (!identity) return new CodisError('CODIS_E_LOGIN_REQUIRED', 'this dashboard wants a login (dashboard_auth = on)');
  const write = !isRead(call.method);
  if (write && readOnly) return new CodisError('CODIS_E_DENIED', 'this dashboard is read-only (dashboard_read_only = on)');
  if (access !== 'own' && !hasRole(identity.role, access)) {
    return new CodisError('CODIS_E_DENIED', `${identity.name} is ${identity.role}, and this is for ${access}s`);
  }
  if (write && identity.csrf !== null && call.csrf !== identity.csrf) {
    return new CodisError(
      'CODIS_E_DENIED',
      'a change by a browser’s login must bring the header x-codis-csrf, as GET /api/v1/session says it',
    );
  }
  return null;
}
