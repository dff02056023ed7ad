// Pub/Sub of one worker, put together: its clients' subscriptions, the connections that hear of them, publishing, and what a subscribed client may say.

import { COMMANDS, type Command } from '../../commands/command.ts';
import { array, bulk, errorReply } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import type { BackendOptions } from '../backend.ts';
import { arg } from '../local/args.ts';
import type { Handler, Handlers } from '../local/local-commands.ts';
import { MODE_PUBLISHING, MODE_SUBSCRIBED } from '../modes.ts';
import type { RouteTable } from '../route-table.ts';
import type { Session } from '../session.ts';
import { Hub } from './hub.ts';
import { askMasters, PUBSUB_HELP, PUBSUB_MERGES, type PubSubQuestions } from './introspection.ts';
import { Publisher, type PublishRoutes } from './publisher.ts';
import { Subscriptions } from './subscriptions.ts';
import { CHANNEL, PATTERN, SHARD, type TopicKind } from './topic.ts';

export type PubSubRoutes = PublishRoutes & PubSubQuestions;

const PUBLISHES: ReadonlySet<string> = new Set(['publish', 'spublish']);
/** What ends all subscriptions, or changes what messages look like. */
const CHANGES: ReadonlySet<string> = new Set(['reset', 'quit', 'hello']);
/** What a client that speaks RESP2 may say while it is subscribed. */
const ALLOWED: ReadonlySet<string> = new Set([...[CHANNEL, PATTERN, SHARD].flatMap((kind) => [kind.subscribe, kind.unsubscribe]), 'ping']);

export class PubSub {
  readonly #options: BackendOptions;
  readonly #routes: PubSubRoutes;
  readonly #hub: Hub;
  readonly #subscriptions: Subscriptions;
  readonly #publisher: Publisher;

  constructor(options: BackendOptions, routes: PubSubRoutes) {
    this.#options = options;
    this.#routes = routes;
    this.#hub = new Hub(options);
    this.#subscriptions = new Subscriptions(this.#hub, options.sessionBytesMax);
    this.#publisher = new Publisher(routes);
  }

  /** Connections to servers that are open for subscriptions. */
  get connectionCount(): number {
    return this.#hub.connectionCount;
  }

  handlers(): Handlers {
    return [
      ...[CHANNEL, PATTERN, SHARD].flatMap((kind) => this.#family(kind)),
      ...[...PUBLISHES].map((name) => handler(name, (session, command, frame) => this.#publisher.publish(session, command, frame))),
      ...PUBSUB_MERGES.map(([name, merge]) =>
        handler(name, (session, command, frame) => askMasters(this.#routes, { session, command, frame, merge })),
      ),
      ['pubsub|help', () => PUBSUB_HELP],
    ];
  }

  /** For a session with one of MODES_PUBSUB, before its request goes its way: true when it was answered here, or waits. */
  intercept(session: Session, command: Command, frame: Frame): boolean {
    if ((session.modes & MODE_PUBLISHING) !== 0 && !PUBLISHES.has(command.name)) this.#publisher.onOther(session);
    if ((session.modes & MODE_SUBSCRIBED) === 0) return false;
    if (CHANGES.has(command.name)) return this.#beforeChange(session, command, frame);
    if (session.protocol === 3) return false;
    if (command.name === 'ping' && frame.argc <= 2) {
      session.reply(array([bulk('pong'), frame.argc === 2 ? bulk(arg(frame, 1)) : bulk('')]));
      return true;
    }
    if (ALLOWED.has(command.name)) return false;
    this.#refuse(session, command);
    return true;
  }

  onTable(table: RouteTable): void {
    this.#hub.onMasters(table.masters.map(({ addr }) => addr));
  }

  tick(): void {
    this.#hub.tick();
  }

  /** A session is gone. */
  forget(session: Session): void {
    this.#subscriptions.drop(session);
    this.#publisher.forget(session);
  }

  close(): void {
    this.#hub.close();
  }

  #family(kind: TopicKind): Handlers {
    return [
      handler(kind.subscribe, (session, command, frame) => this.#subscriptions.subscribe(session, kind, command, frame)),
      handler(kind.unsubscribe, (session, command, frame) => this.#subscriptions.unsubscribe(session, kind, command, frame)),
    ];
  }

  /** Not before everything so far was answered. */
  #beforeChange(session: Session, command: Command, frame: Frame): boolean {
    if (command.name === 'hello' && session.protocol === 2) {
      this.#refuse(session, command);
      return true;
    }
    if (!session.inOrder(command, frame)) return true;
    if (command.name !== 'hello') this.#subscriptions.drop(session);
    return false;
  }

  #refuse(session: Session, command: Command): void {
    const reply = errorReply(
      `ERR Can't execute '${command.name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
    );
    this.#options.stats.onError(reply, 0);
    session.reply(reply);
  }
}

/** A handler that knows its command, to be able to wait with it. */
function handler(
  name: string,
  run: (session: Session, command: Command, frame: Frame) => Buffer | null,
): readonly [name: string, handler: Handler] {
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) throw new Error(`${name} is no command`);
  return [name, (session, frame) => run(session, command, frame)];
}
