import type { App } from '../apps/app.js';
import type { Clock } from '../clock/clock.js';
import { AppError } from '../errors/app-error.js';
import type { MessagesService } from '../messages/messages.service.js';
import type { MutesService } from '../mutes/mutes.service.js';
import { writeMessageId } from '../offline-messages/message-id.js';
import type {
  InboxMessage,
  InboxPosition,
  OfflineMessagesService,
} from '../offline-messages/offline-messages.service.js';
import type { Session } from '../presence/session.js';
import type { RateLimits } from '../rate-limit/rate-limits.service.js';
import { type ClientFrame, messageOf } from './frames.js';
import type { MarksUnderWay } from './marks-under-way.js';
import { SenderMute } from './sender-mute.js';

/** What the messages of a session need of its socket. */
export interface MessageOutlet {
  /** Sends the text of a frame, unless the client has been told to go. */
  sendText(text: string): void;
  /** Called for internal errors. */
  onFault(error: unknown): void;
  /** Reads nothing more of the client, until `resume`. */
  pause(): void;
  resume(): void;
  /** The client, or its app, sends more than it may: reads nothing of it for a while. */
  slowDown(retryAfterMs: number, cause: 'client' | 'app'): void;
}

/** What all sessions of the node share. */
export interface MessageServices {
  readonly clock: Clock;
  readonly messages: MessagesService;
  readonly offlineMessages: OfflineMessagesService;
  readonly mutes: MutesService;
  readonly limits: RateLimits;
  readonly marksUnderWay: MarksUnderWay;
}

/** Messages in one pull; the longest are 16 KiB, so this is half a megabyte at most. */
const maxPull = 32;
/** No more is sent while so many messages, or so many bytes of them, are unacknowledged. */
const maxUnacknowledged = 100;
const maxUnacknowledgedBytes = 256 * 1024;
/** Messages that one client may have on their way in. */
const maxPending = 100;
/**
 * With so many acks and reads under way, a client is not read before half of them are stored; while its app has its share
 * of those of the node, before all of its own are.
 */
const maxMarks = 100;
const maxRefLength = 128;

/** The messages of one session, in both directions. */
export class MessageSession {
  /** Up to where messages were sent. */
  private sentSeq = 0;
  private readonly unacknowledged = new Map<string, number>();
  private unacknowledgedBytes = 0;
  private started = false;
  private pulling = false;
  private woken = false;
  /** Whether the database did not answer the last time. */
  private failed = false;
  private closed = false;
  private pending = 0;
  private marks = 0;
  private paused = false;
  /** Ends when everything that the client sent so far is stored: its messages keep their order. */
  private storing: Promise<void> = Promise.resolve();
  private readonly mute: SenderMute;

  private constructor(
    private readonly app: App,
    private readonly session: Session,
    private readonly services: MessageServices,
    private readonly outlet: MessageOutlet,
    private readonly opened: InboxPosition,
  ) {
    const { mutes, clock } = services;
    this.mute = new SenderMute(() => mutes.chatMutedUntil(app.id, session.userUuid), clock);
  }

  /** For a session that can be woken already, so that nothing comes unseen in between. @throws AppError database_unavailable */
  static async open(
    app: App,
    session: Session,
    services: MessageServices,
    outlet: MessageOutlet,
  ): Promise<MessageSession> {
    const opened = await services.offlineMessages.open(app.id, session.userUuid);
    return new MessageSession(app, session, services, outlet, opened);
  }

  /** How many messages wait for this session. */
  get waiting(): number {
    return this.opened.waiting;
  }

  /** Begins to send, once the client knows that it is logged in. */
  start(): void {
    this.started = true;
    this.wake();
  }

  /** Something new is in the inbox, or may be. */
  wake(): void {
    this.woken = true;
    if (this.started && !this.pulling && !this.closed) void this.pull();
  }

  /** @see SessionConnection */
  async catchUp(lastSeq: number | null): Promise<void> {
    if (lastSeq === null) this.mute.forget();
    if (!this.started || this.closed) return;
    const { session } = this;
    const { offlineMessages } = this.services;
    try {
      const last = lastSeq ?? (await offlineMessages.open(this.app.id, session.userUuid)).lastSeq;
      if (last > this.sentSeq) this.wake();
    } catch (error) {
      this.failed = true;
      if (!isUnavailable(error)) this.outlet.onFault(error);
    }
  }

  /** Pulls again after the database did not answer. */
  tryAgain(): void {
    if (!this.failed) return;
    this.failed = false;
    this.wake();
  }

  close(): void {
    this.closed = true;
  }

  /** An ack that we wait for: there are never more of those than messages that we sent. */
  expects({ type, id }: ClientFrame): boolean {
    return type === 'ack' && typeof id === 'string' && this.unacknowledged.has(id);
  }

  /** Handles a frame of a client, of so many bytes; false when it is not about messages. */
  take(frame: ClientFrame, bytes: number): boolean {
    switch (frame.type) {
      case 'send':
        this.takeSend(frame, bytes);
        return true;
      case 'ack':
      case 'read':
        this.takeMark(frame, frame.type);
        return true;
      default:
        return false;
    }
  }

  private async pull(): Promise<void> {
    this.pulling = true;
    try {
      while (this.woken && !this.closed && this.hasRoom) {
        this.woken = false;
        const messages = await this.services.offlineMessages.pull(
          this.app.id,
          this.session.userUuid,
          this.sentSeq,
          this.opened.lastSeq,
          maxPull,
        );
        for (const message of messages) this.push(message);
        if (messages.length === maxPull) this.woken = true;
        // What came before the session and is not among them was delivered to another device.
        else this.sentSeq = Math.max(this.sentSeq, this.opened.lastSeq);
      }
    } catch (error) {
      this.failed = true;
      if (!isUnavailable(error)) this.outlet.onFault(error);
    } finally {
      this.pulling = false;
    }
  }

  private get hasRoom(): boolean {
    return (
      this.unacknowledged.size + maxPull <= maxUnacknowledged && this.unacknowledgedBytes <= maxUnacknowledgedBytes
    );
  }

  private push(message: InboxMessage): void {
    const id = writeMessageId(message.id);
    const { sender, chatType, type, createdAt, offline } = message;
    const head = { type: 'message', id, from: sender, to: this.session.username, chat_type: chatType, msg_type: type };
    const tail = { timestamp: createdAt, offline };
    // Body and ext are JSON already, and leave as they came.
    const text =
      `${JSON.stringify(head).slice(0, -1)},"body":${message.body},"ext":${message.ext ?? '{}'},` +
      JSON.stringify(tail).slice(1);
    this.sentSeq = message.seq;
    this.unacknowledged.set(id, text.length);
    this.unacknowledgedBytes += text.length;
    this.outlet.sendText(text);
  }

  private takeMark({ id }: ClientFrame, type: 'ack' | 'read'): void {
    if (typeof id !== 'string') return this.fail(new AppError('argument_invalid', { detail: 'id must be a string' }));
    const { app, session } = this;
    const { offlineMessages, marksUnderWay } = this.services;
    const done =
      type === 'ack'
        ? offlineMessages.acknowledge(app, session.userUuid, id)
        : offlineMessages.markRead(app.id, session.userUuid, id);
    // An ack that was not stored: the message comes again with the next session.
    void done.catch((error: unknown) => this.fail(error)).finally(() => this.markStored());
    this.marks += 1;
    marksUnderWay.add(app.id);
    if (!this.paused && (this.marks >= maxMarks || marksUnderWay.isFull(app.id))) {
      this.paused = true;
      this.outlet.pause();
    }
    if (type === 'ack') this.release(id);
  }

  private markStored(): void {
    this.marks -= 1;
    const { marksUnderWay } = this.services;
    marksUnderWay.remove(this.app.id);
    const enough = marksUnderWay.isFull(this.app.id) ? 0 : maxMarks / 2;
    if (!this.paused || this.marks > enough) return;
    this.paused = false;
    this.outlet.resume();
  }

  /** The client has this message: there is room for others. */
  private release(id: string): void {
    const bytes = this.unacknowledged.get(id);
    if (bytes === undefined) return;
    this.unacknowledged.delete(id);
    this.unacknowledgedBytes -= bytes;
    if (this.woken) this.wake();
  }

  private takeSend(frame: ClientFrame, bytes: number): void {
    const { ref } = frame;
    if (this.pending >= maxPending) return this.fail(new AppError('overloaded'), ref);
    this.pending += 1;
    // Counted as it comes; what becomes of it is said in its turn.
    const admitted = this.admit(bytes);
    admitted.catch(() => undefined);
    this.storing = this.storing
      .then(() => admitted)
      .then(() => this.send(frame))
      .catch((error: unknown) => this.fail(error, ref))
      .finally(() => (this.pending -= 1));
  }

  /** @throws AppError rate_limited */
  private async admit(bytes: number): Promise<void> {
    const { limits } = this.services;
    const decision = await limits.admitUserMessage(this.app, this.session.username, bytes);
    if (decision === null || decision.allowed) return;
    this.outlet.slowDown(decision.retryAfterMs, 'client');
    throw limits.rejection('messages_of_user', decision);
  }

  private async send({ ref, to, body, ext, msg_type: type = 'txt' }: ClientFrame): Promise<void> {
    if (ref !== undefined && !isRef(ref))
      throw new AppError('argument_invalid', { detail: `ref must be a number, or a string of up to ${maxRefLength}` });
    if (typeof to !== 'string' || to === '')
      throw new AppError('argument_invalid', { detail: 'to must be the name of a user' });
    if (typeof type !== 'string') throw new AppError('argument_invalid', { detail: 'msg_type must be a string' });
    await this.mute.check();
    const id = await this.services.messages.sendToOne(this.app, { from: this.session.username, to, type, body, ext });
    this.outlet.sendText(JSON.stringify({ type: 'sent', ref, id }));
  }

  private fail(error: unknown, ref?: unknown): void {
    const { code, detail, retryAfterMs } = error instanceof AppError ? error : new AppError('internal');
    if (code === 'internal') this.outlet.onFault(error);
    if (code === 'rate_limited') this.outlet.slowDown(retryAfterMs ?? 0, 'app');
    const frame = { type: 'error', code, message: detail ?? messageOf(code), retry_after_ms: retryAfterMs };
    this.outlet.sendText(JSON.stringify(isRef(ref) ? { ...frame, ref } : frame));
  }
}

/** A number comes back with the digits that it had. */
function isRef(ref: unknown): boolean {
  return typeof ref === 'number' || JSON.isRawJSON(ref) || (typeof ref === 'string' && ref.length <= maxRefLength);
}

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'database_unavailable' || error.code === 'overloaded');
}
