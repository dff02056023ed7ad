// Who sees the names of keys. A name may say whose key it is, so it can be kept from those who only look after the cluster (dashboard_key_names): they see a mark, by
// which the same key is known again in every list, and which tells nothing of the name.

import { createHmac, randomBytes } from 'node:crypto';
import type { Settings } from '@codis/config/settings';
import type { FastifyRequest } from 'fastify';
import { hasRole } from './policy.ts';

/** So that names can’t be found by trying. */
const SECRET = randomBytes(32);

/** How names are shown to who asks: as they are, or as marks. */
export type KeyNames = (name: string) => string;

export function keyNamesFor({ identity }: FastifyRequest, { dashboard_key_names: from }: Settings): KeyNames {
  return identity !== null && hasRole(identity.role, from) ? (name) => name : markOf;
}

function markOf(name: string): string {
  return `(key ${createHmac('sha256', SECRET).update(name).digest('hex').slice(0, 10)})`;
}
