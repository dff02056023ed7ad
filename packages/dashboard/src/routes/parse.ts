// From validated JSON to the model's branded types. The schemas have checked the ranges; these check again and brand.

import { asGroupId, asSlot, type GroupId, type Move, type Slot } from '@codis/config/model';

export function rangeOf(body: { first: number; last: number; group: number | null }): { first: Slot; last: Slot; owner: GroupId | null } {
  return { first: asSlot(body.first), last: asSlot(body.last), owner: body.group === null ? null : asGroupId(body.group) };
}

export function moveOf({ first, last, to }: { first: number; last: number; to: number }): Move {
  return { first: asSlot(first), last: asSlot(last), to: asGroupId(to) };
}
