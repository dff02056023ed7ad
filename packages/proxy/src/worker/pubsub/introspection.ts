// PUBSUB: what the servers know of subscriptions. Each worker of each proxy is subscribed on every master to all that its clients have, so each master
// knows every topic, but not how many clients are behind a worker: numbers count one for each worker that has a client with the topic. Masters
// that answer differently are just being subscribed to, so the largest number holds; one that can't be reached is passed over.

import type { Command } from '../../commands/command.ts';
import { array, errorReply, integer } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { firstError, type Merge } from '../gather.ts';
import { copyFrame } from '../held.ts';
import { text } from '../local/args.ts';
import { elementsOf, integerIn } from '../merge.ts';
import type { Server } from '../server.ts';
import type { Session } from '../session.ts';

/** Asks several servers and answers with what `merge` makes of their replies (`Router.ask`). */
export interface PubSubQuestions {
  masters(): readonly Server[];
  ask(session: Session, servers: readonly Server[], bytes: (server: Server) => Buffer, merge: Merge): void;
}

/** How the masters' replies to each subcommand become one. */
export const PUBSUB_MERGES: readonly (readonly [name: string, merge: Merge])[] = [
  ['pubsub|channels', unreachableAside(union)],
  ['pubsub|shardchannels', unreachableAside(union)],
  ['pubsub|numpat', unreachableAside((replies) => integer(Math.max(...replies.map(integerIn))))],
  ['pubsub|numsub', unreachableAside(largestCounts)],
  ['pubsub|shardnumsub', unreachableAside(largestCounts)],
];

/** Waits for what came before, since subscriptions go by other connections than questions. */
export function askMasters(
  routes: PubSubQuestions,
  request: { session: Session; command: Command; frame: Frame; merge: Merge },
): Buffer | null {
  const { session, command, frame, merge } = request;
  if (frame.argc > 3 && command.name.endsWith('channels')) {
    return errorReply(`ERR unknown subcommand or wrong number of arguments for '${text(frame, 1).slice(0, 128)}'. Try PUBSUB HELP.`);
  }
  if (!session.inOrder(command, frame)) return null;
  const bytes = copyFrame(frame);
  routes.ask(session, routes.masters(), () => bytes, merge);
  return null;
}

function unreachableAside(merge: (replies: readonly Buffer[]) => Buffer): Merge {
  return (replies) => {
    const answered = replies.filter((reply) => firstError([reply]) === undefined);
    return answered.length > 0 ? merge(answered) : (replies[0] ?? null);
  };
}

function union(replies: readonly Buffer[]): Buffer {
  const names = new Map<string, Buffer>();
  for (const reply of replies) for (const name of elementsOf(reply)) names.set(name.toString('latin1'), name);
  return array([...names.values()]);
}

/** Names and numbers in turn; the names are the same in all. */
function largestCounts(replies: readonly Buffer[]): Buffer {
  const lists = replies.map(elementsOf);
  const first = lists[0] ?? [];
  return array(
    first.map((element, at) => (at % 2 === 0 ? element : integer(Math.max(...lists.map((list) => integerIn(list[at] ?? element)))))),
  );
}

export const PUBSUB_HELP = array(
  [
    'PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
    'CHANNELS [<pattern>]',
    "    Return the currently active channels matching a <pattern> (default: '*').",
    'NUMPAT',
    '    Return number of subscriptions to patterns.',
    'NUMSUB [<channel> ...]',
    '    Return the number of subscribers for the specified channels, excluding',
    '    pattern subscriptions(default: no channels).',
    'SHARDCHANNELS [<pattern>]',
    "    Return the currently active shard level channels matching a <pattern> (default: '*').",
    'SHARDNUMSUB [<shardchannel> ...]',
    '    Return the number of subscribers for the specified shard level channel(s)',
    'HELP',
    '    Prints this help.',
  ].map((line) => Buffer.from(`+${line}\r\n`)),
);
