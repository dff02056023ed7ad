// The connection by which a worker hears one master: subscribed there to all that any client of the worker subscribed to. It connects again by itself.
//
//   connecting ──handshake──▶ ready ──lost──▶ down ──a pause──▶ connecting        in `ready` everything is subscribed anew
//
// It speaks RESP2, which every server knows: on such a connection only messages and the answers to (un)subscribing can come. Each request
// names one topic, so each has one answer, and they come in order.
//
// Invariant: `#sent` holds exactly the requests that have no answer yet.

import { connect, type Socket } from 'node:net';
import { CodisError, parseAddr, type ServerAddr } from '@codis/config/model';
import { encodeRequest } from '../../resp/replies.ts';
import { ReplyScanner } from '../../resp/reply-scanner.ts';
import type { BackendOptions } from '../backend.ts';
import { Handshake } from '../handshake.ts';
import { type MessageTopic, messageTopic } from './message.ts';
import type { Topic } from './topic.ts';

/** What a subscriber tells of. */
export interface SubscriberOwner {
  /** The handshake is done: everything is to be subscribed now. */
  onReady(subscriber: Subscriber): void;
  /** It can't be reached for now, or does not answer in time: nobody should wait for it. */
  onUnreachable(subscriber: Subscriber): void;
  /** The server has answered `subscribe(topic)`; `refusal` is its error, null for none. */
  onSubscribed(subscriber: Subscriber, topic: Topic, refusal: Buffer | null): void;
  /** `message` is a copy that nobody changes. */
  onMessage(to: MessageTopic, message: Buffer): void;
  /** A message came that is longer than any client may have waiting. */
  onTooLarge(to: MessageTopic): void;
}

const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1000;
const PING = encodeRequest(['PING']);
const ERROR = 0x2d;

export class Subscriber {
  readonly addr: ServerAddr;
  readonly #options: BackendOptions;
  readonly #owner: SubscriberOwner;
  #state: 'connecting' | 'ready' | 'down' | 'closed' = 'down';
  #socket: Socket | null = null;
  #handshake: Handshake | null = null;
  #scanner = new ReplyScanner();
  /** A reply that has begun and not ended; once it is too long, its beginning. */
  #pieces: Buffer[] = [];
  #piecesBytes = 0;
  /** Requests without an answer, oldest first: the topic subscribed to, or null for what nobody waits for. */
  #sent: (Topic | null)[] = [];
  #answered = 0;
  /** It has not answered within backend_connect_timeout_ms; it may still. */
  #stalled = false;
  #corked = false;
  /** When something last came, or the first request after a pause was sent. */
  #activeAt = 0;
  #retryMs = RETRY_MS_MIN;
  #retryAt = 0;
  /** No attempt has failed since it was made, or last ready. */
  #hopeful = true;

  constructor(addr: ServerAddr, options: BackendOptions, owner: SubscriberOwner) {
    this.addr = addr;
    this.#options = options;
    this.#owner = owner;
    this.#connect();
  }

  /** Whether an answer can be expected soon. */
  get isReachable(): boolean {
    return this.#state === 'ready' ? !this.#stalled : this.#state === 'connecting' && this.#hopeful;
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  get isOpen(): boolean {
    return this.#socket !== null;
  }

  /** Only once it is ready. */
  subscribe(topic: Topic): void {
    this.#send(encodeRequest([topic.kind.subscribe, topic.name]), topic);
  }

  /** Only once it is ready. */
  unsubscribe(topic: Topic): void {
    this.#send(encodeRequest([topic.kind.unsubscribe, topic.name]), null);
  }

  /** From time to time: connects again, asks an idle server whether it is there, gives up one that answers nothing. */
  tick(): void {
    const { clock, connectTimeoutMs, pingPeriodMs } = this.#options;
    const idle = clock.now - this.#activeAt;
    if (this.#state === 'down' && clock.now >= this.#retryAt) this.#connect();
    else if (this.#state === 'connecting' && idle > connectTimeoutMs) this.#fail();
    else if (this.#state === 'ready') {
      if (this.#sent.length > 0) this.#checkAnswers(idle);
      else if (idle > pingPeriodMs) this.#send(PING, null);
    }
  }

  close(): void {
    this.#drop();
    this.#state = 'closed';
    this.#owner.onUnreachable(this);
  }

  /** A server that does not answer is waited for no longer after a while, sent no more than backend_max_bufsize, and given up in the end. */
  #checkAnswers(idleMs: number): void {
    const { connectTimeoutMs, recvTimeoutMs, bufferBytesMax } = this.#options;
    if (idleMs <= connectTimeoutMs) return;
    if (idleMs > recvTimeoutMs || (this.#socket?.writableLength ?? 0) > bufferBytesMax) this.#fail();
    else if (!this.#stalled) {
      this.#stalled = true;
      this.#owner.onUnreachable(this);
    }
  }

  #connect(): void {
    const { clock } = this.#options;
    this.#state = 'connecting';
    this.#activeAt = clock.now;
    this.#scanner = new ReplyScanner();
    const handshake = new Handshake({ ...this.#options, db: 0, protocol: 2 });
    const socket = connect({ ...parseAddr(this.addr), noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
    socket.on('connect', () => socket.write(handshake.request));
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', () => this.#fail());
    socket.on('close', () => this.#fail());
    this.#handshake = handshake;
    this.#socket = socket;
  }

  #fail(): void {
    if (this.#socket === null) return;
    this.#drop();
    this.#state = 'down';
    this.#hopeful = false;
    this.#retryAt = this.#options.clock.now + this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
    this.#owner.onUnreachable(this);
  }

  /** The connection goes, with all that was under way on it. */
  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#handshake = null;
    this.#pieces = [];
    this.#piecesBytes = 0;
    this.#sent = [];
    this.#answered = 0;
    this.#stalled = false;
    this.#corked = false;
    socket?.removeAllListeners();
    socket?.on('error', () => socket.destroy());
    socket?.destroy();
  }

  #send(bytes: Buffer, topic: Topic | null): void {
    const socket = this.#socket;
    if (socket === null) return;
    if (this.#sent.length === 0) this.#activeAt = this.#options.clock.now;
    this.#sent.push(topic);
    if (!this.#corked) this.#cork(socket);
    socket.write(bytes);
  }

  /** What is sent in one turn goes as one write. */
  #cork(socket: Socket): void {
    this.#corked = true;
    socket.cork();
    process.nextTick(() => {
      if (socket === this.#socket) this.#corked = false;
      socket.uncork();
    });
  }

  #onData(chunk: Buffer): void {
    this.#activeAt = this.#options.clock.now;
    this.#options.stats.backendBytesIn += chunk.length;
    try {
      if (this.#handshake !== null) this.#onHandshake(this.#handshake, chunk);
      else this.#onReplies(chunk);
    } catch (error) {
      if (!(error instanceof CodisError)) throw error;
      this.#fail();
    }
  }

  #onHandshake(handshake: Handshake, chunk: Buffer): void {
    const result = handshake.feed(chunk);
    if (result.kind === 'more') return;
    if (result.kind === 'failed') {
      if (result.behind) this.#options.onBehind();
      this.#fail();
      return;
    }
    this.#handshake = null;
    this.#state = 'ready';
    this.#hopeful = true;
    this.#retryMs = RETRY_MS_MIN;
    this.#owner.onReady(this);
  }

  #onReplies(chunk: Buffer): void {
    const socket = this.#socket;
    let pos = 0;
    while (pos < chunk.length && this.#socket === socket) {
      const end = this.#scanner.scan(chunk, pos, chunk.length);
      this.#keep(chunk.subarray(pos, end < 0 ? chunk.length : end));
      if (end < 0) return;
      pos = end;
      this.#onReply();
    }
  }

  /** Keeps a copy, so that a few bytes don't keep a whole read alive. Past session_max_bufsize nothing more is kept. */
  #keep(piece: Buffer): void {
    this.#piecesBytes += piece.length;
    if (this.#piecesBytes <= this.#options.sessionBytesMax || this.#pieces.length === 0) this.#pieces.push(Buffer.from(piece));
  }

  #onReply(): void {
    const reply = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces);
    const isWhole = reply.length === this.#piecesBytes;
    this.#pieces = [];
    this.#piecesBytes = 0;
    const to = messageTopic(reply);
    if (to === null) this.#onAnswer(reply);
    else if (isWhole) this.#owner.onMessage(to, reply);
    else this.#owner.onTooLarge(to);
  }

  #onAnswer(reply: Buffer): void {
    if (this.#sent.length === 0) throw new CodisError('CODIS_E_NOT_REDIS', 'it sent a reply that nobody asked for');
    const topic = this.#sent[this.#answered++] ?? null;
    if (this.#answered === this.#sent.length) {
      this.#sent = [];
      this.#answered = 0;
      this.#stalled = false;
    } else if (this.#answered >= COMPACT_AT) {
      this.#sent = this.#sent.slice(this.#answered);
      this.#answered = 0;
    }
    if (topic !== null) this.#owner.onSubscribed(this, topic, reply[0] === ERROR ? reply : null);
  }
}

/** Answered requests are cut off the list in runs of this many. */
const COMPACT_AT = 4096;
