// SCAN over all groups: one call is one SCAN at one server, with what that server's keys are filtered by. Where it goes next stands in the cursor
// (scan-cursor.ts, scan-pass.ts); here is only what is said to the server and to the client.

import { array, EMPTY_ARRAY, encodeRequest, errorReply } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { arg } from '../local/args.ts';
import type { Handlers } from '../local/local-commands.ts';
import { elementsOf } from '../merge.ts';
import type { Session } from '../session.ts';
import { type Around, arrayOf, bulkNumber, commandNamed, contentOf, groundOf, isError, keepKeys, masterOfGroup } from './around.ts';
import { type Cursor, decodeCursor, encodeCursor, parseCursor } from './scan-cursor.ts';
import { placeAfter, placeFor, wantedAt } from './scan-pass.ts';

const SCAN = commandNamed('scan');
const INVALID_CURSOR = errorReply('ERR invalid cursor');
const CURSOR_TOO_LARGE = errorReply(
  'ERR this database has more than 2 billion buckets at one server, which is more than the cursor of SCAN over all groups can count',
);
const OVER = array([bulkNumber(0n), EMPTY_ARRAY]);
/** A number of 64 bits has 20 digits; Redis takes zeros before it. */
const CURSOR_BYTES_MAX = 64;

export function scanCommands(around: Around): Handlers {
  return [['scan', (session, frame) => scan(around, session, frame)]];
}

function scan(around: Around, session: Session, frame: Frame): Buffer | null {
  const { router } = around;
  const given = arg(frame, 1);
  const value = given.length > CURSOR_BYTES_MAX ? null : parseCursor(given.toString('latin1'));
  if (value === null) return INVALID_CURSOR;
  if (!session.inOrder(SCAN, frame)) return null;
  const place = placeFor(value === 0n ? null : decodeCursor(value), groundOf(router));
  if (place === null && value !== 0n) return OVER;
  const server = place === null ? null : masterOfGroup(router, place.group);
  if (Buffer.isBuffer(server)) return server;
  const options = Array.from({ length: frame.argc - 2 }, (_, at) => arg(frame, at + 2));
  const request = encodeRequest(['SCAN', String(place?.at ?? 0n), ...options]);
  router.ask(
    session,
    server === null ? [] : [server],
    () => request,
    ([reply]) => (isError(reply as Buffer) ? (reply as Buffer) : page(around, place as Cursor, reply as Buffer)),
  );
  return null;
}

/** What the client gets of a server's page. */
function page({ router, isReserved }: Around, place: Cursor, reply: Buffer): Buffer {
  const [next, found] = elementsOf(reply) as [Buffer, Buffer];
  const ground = groundOf(router);
  const wanted = wantedAt(place, ground);
  const keys = keepKeys(found, (slot, start, end) => wanted(slot) && !isReserved(found, start, end));
  const after = placeAfter(place, BigInt(contentOf(next).toString('latin1')), ground);
  const cursor = after === null ? 0n : encodeCursor(after);
  return cursor === null ? CURSOR_TOO_LARGE : array([bulkNumber(cursor), arrayOf(keys)]);
}
