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

/** What the messages of a session need from its socket. */
export interface MessageOutlet {
  /** Sends the text of a frame, unless the client has been told to go. */
  sendText(text: string): void;
  /** Called for internal errors. */
  onFault(error: unknown): void;
  /** Stops reading from the client until `resume`. */
  pause(): void;
  resume(): void;
  /** The client, or its app, exceeds its limit: stops reading from it for a while. */
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

/** Messages per pull; the longest are 16 KiB, so this is at most half a megabyte. */
const maxPull = 32;
/** Sending pauses while this many messages, or bytes of them, are unacknowledged. */
const maxUnacknowledged = 100;
const maxUnacknowledgedBytes = 256 * 1024;
/** Inbound messages that one client may have pending. */
const maxPending = 100;
/**
 * With this many acks and reads pending, a client is not read until half of them are stored, or all of them while its
 * app has used up its share of the node's.
 */
const maxMarks = 100;
const maxRefLength = 128;

/** The messages of one session, in both directions. */
export class MessageSession {
  /** Messages were sent up to here. */
  private sentSeq = 0;
  private readonly unacknowledged = new Map<string, number>();
  private unacknowledgedBytes = 0;
  private started = false;
  private pulling = false;
  private woken = false;
  /** Whether the last database call failed. */
  private failed = false;
  private closed = false;
  private pending = 0;
  private marks = 0;
  private paused = false;
  /** Settles when everything the client sent so far is stored, so that its messages keep their order. */
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

  /** For a session that can already be woken, so that nothing is missed. @throws AppError database_unavailable */
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

  /** Starts sending, once the client knows it is logged in. */
  start(): void {
    this.started = true;
    this.wake();
  }

  /** There is, or may be, something new in the inbox. */
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

  /** Pulls again after a failed database call. */
  tryAgain(): void {
    if (!this.failed) return;
    this.failed = false;
    this.wake();
  }

  close(): void {
    this.closed = true;
  }

  /** Whether this is an awaited ack; there are never more of those than messages sent. */
  expects({ type, id }: ClientFrame): boolean {
    return type === 'ack' && typeof id === 'string' && this.unacknowledged.has(id);
  }

  /** Handles a client frame of `bytes` bytes; false when it is not about messages. */
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
        // Anything older than the session and not among them was delivered to another device.
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
    // Body and ext are already JSON and are passed through unchanged.
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
    // If an ack is not stored, the next session gets the message again.
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

  /** The client has this message, which makes room for others. */
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
    // Counted on arrival; the outcome is reported in order.
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

/** A number is returned with its original digits. */
function isRef(ref: unknown): boolean {
  return typeof ref === 'number' || JSON.isRawJSON(ref) || (typeof ref === 'string' && ref.length <= maxRefLength);
}

function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'database_unavailable' || error.code === 'overloaded');
}
