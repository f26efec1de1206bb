import { randomBytes, randomInt } from 'node:crypto';
import type { RawData, WebSocket } from 'ws';
import type { App } from '../apps/app.js';
import type { AuthenticatedUser } from '../auth/tokens.service.js';
import { AppError } from '../errors/app-error.js';
import type { PresenceNotice } from '../presence/presence-notice.js';
import type { KickReason, Session, SessionConnection, SessionEnd } from '../presence/session.js';
import { closeCodes, kickCodes } from './close-codes.js';
import {
  type ClientFrame,
  type DeviceDescription,
  messageOf,
  readDevice,
  readFrame,
  type ServerFrame,
} from './frames.js';
import { type MessageOutlet, MessageSession } from './message-frames.js';
import { Liveness } from './liveness.js';
import { ReadControl } from './read-control.js';
import type { SocketContext } from './socket-context.js';

const maxBufferedBytes = 1024 * 1024;
/** How long a client may take to answer a close frame. */
const farewellMs = 800;
const minRetryAfterMs = 500;
const maxRetryAfterMs = 6_000;

/** A client connection: frames in, frames out, and the limits on both. */
export class GatewaySocket implements SessionConnection {
  private session: Session | null = null;
  private messages: MessageSession | null = null;
  private loggingIn = false;
  private ended = false;
  private readonly liveness: Liveness;
  private readonly reading: ReadControl;
  private loginTimer: NodeJS.Timeout | null;

  /** @param onSettled called once, when the socket has logged in */
  constructor(
    private readonly socket: WebSocket,
    private readonly app: App,
    private readonly context: SocketContext,
    private readonly onSettled: () => void,
  ) {
    this.liveness = new Liveness(context.clock, context.pingMs);
    this.reading = new ReadControl(socket, context.clock);
    this.loginTimer = setTimeout(() => {
      this.sendError('login_timeout');
      this.end(closeCodes.loginTimeout, 'left');
    }, context.loginTimeoutMs);
    socket.on('message', (data, isBinary) => this.onMessage(data, isBinary));
    socket.on('ping', () => this.admitFrame());
    // Counted too: pongs may be unsolicited.
    socket.on('pong', () => this.admitFrame());
    // A protocol or transport error: `close` follows, and ws has already sent the matching code.
    socket.on('error', () => this.leave('violation'));
    socket.on('close', () => this.leave('left'));
  }

  /** Logs in with the token that came with the upgrade. */
  logIn(user: AuthenticatedUser, device: DeviceDescription): Promise<void> {
    this.loggingIn = true;
    return this.open(user, device);
  }

  /** @see SessionConnection */
  kick(reason: KickReason, untilMs: number | null = null): void {
    if (this.ended) return;
    this.send(
      reason === 'shutdown'
        ? { type: 'kicked', reason, retry_after_ms: randomInt(minRetryAfterMs, maxRetryAfterMs) }
        : { type: 'kicked', reason, ...(untilMs === null ? {} : { until: untilMs }) },
    );
    this.end(kickCodes[reason], reason);
  }

  /** @see SessionConnection */
  wake(): void {
    this.messages?.wake();
  }

  /** @see SessionConnection */
  catchUp(lastSeq: number | null): void {
    void this.messages?.catchUp(lastSeq);
  }

  /** @see SessionConnection; clients expect nothing else before `ready` */
  presenceChanged({ username, status, ext, lastTime }: PresenceNotice): void {
    if (this.messages !== null) this.send({ type: 'presence', username, status, ext, last_time: lastTime });
  }

  /** Sends a frame, unless the client has been told to go. A client that does not read is cut off. */
  send(frame: ServerFrame): void {
    this.sendText(JSON.stringify(frame));
  }

  private sendText(text: string): void {
    const { socket } = this;
    if (this.ended || socket.readyState !== socket.OPEN) return;
    this.liveness.writeBegins();
    socket.send(text, this.onWritten);
    if (socket.bufferedAmount > maxBufferedBytes) this.cut('slow');
  }

  /**
   * Checks the connection; called every second or so. @param late the caller itself was delayed, so silence proves
   * nothing
   */
  beat(now: number, late: boolean): void {
    if (this.ended) return;
    const finding = this.liveness.check(now, late, this.socket.isPaused);
    if (finding === 'ping') this.socket.ping();
    else if (finding !== 'alive') this.cut(finding);
  }

  /** Retries what failed because the database was unavailable. */
  tryAgain(): void {
    this.messages?.tryAgain();
  }

  /** Drops the connection without a close frame. */
  terminate(): void {
    this.socket.terminate();
  }

  // Shared by all writes of this socket, as there are many.
  private readonly onWritten = (): void => this.liveness.writeEnds();

  private onMessage(data: RawData, isBinary: boolean): void {
    this.liveness.heard();
    let waits = false;
    const handled = this.context.turns.take(this.app.id, (data as Buffer).length, () => {
      if (waits) this.reading.resume();
      this.handle(data as Buffer, isBinary);
    });
    if (handled) return;
    waits = true;
    this.reading.pause();
  }

  private handle(data: Buffer, isBinary: boolean): void {
    if (this.ended || !this.admitFrame()) return;
    if (isBinary) {
      this.sendError('frame_malformed');
      return this.end(closeCodes.unsupportedData, 'violation');
    }
    const frame = readFrame(data.toString());
    if (frame === null) return this.sendError('frame_malformed');
    switch (frame.type) {
      case 'ping':
        return this.send({ type: 'pong' });
      case 'login':
        if (this.loggingIn) return this.sendError('login_repeated');
        this.loggingIn = true;
        return void this.logInByFrame(frame);
      default:
        if (this.messages === null) return this.sendError('login_required');
        // A fast client legitimately acknowledges fast.
        if (this.messages.expects(frame)) this.liveness.forgiveFrame();
        if (!this.messages.take(frame, data.length)) this.sendError('frame_unknown');
    }
  }

  private async logInByFrame(frame: ClientFrame): Promise<void> {
    const device = readDevice(frame);
    if (typeof device === 'string') return this.refuse(new AppError('argument_invalid', { detail: device }));
    if (typeof frame['token'] !== 'string' || frame['token'] === '') return this.refuse(new AppError('token_missing'));
    try {
      await this.open(await this.context.tokens.authenticateUser(await this.currentApp(), frame['token']), device);
    } catch (error) {
      this.refuse(error);
    }
  }

  /** Certificates may have changed since the upgrade. @throws AppError app_not_found, app_disabled */
  private async currentApp(): Promise<App> {
    const app = await this.context.apps.find(this.app.org, this.app.name);
    if (app === null || app.id !== this.app.id) throw new AppError('app_not_found');
    if (app.disabled) throw new AppError('app_disabled');
    return app;
  }

  private async open({ user, expiresAtSeconds, letInBy }: AuthenticatedUser, device: DeviceDescription): Promise<void> {
    const id = device.device ?? randomBytes(9).toString('base64url');
    try {
      const session = await this.context.presence.open(
        this.app,
        {
          userUuid: user.uuid,
          username: user.username,
          platform: device.platform,
          device: id,
          deviceName: device.deviceName ?? id,
          // For any token, the session ends with the epoch it was admitted in, which an AccessToken2 may outlive.
          issued: { by: 'rollcall', epoch: user.tokenEpoch },
          letInBy,
          expiresAtSeconds,
        },
        this,
      );
      if (session === null) return;
      if (this.ended) return this.context.presence.close(session.sessionId, 'left');
      await this.welcome(session);
    } catch (error) {
      this.refuse(error);
    }
  }

  private async welcome(session: Session): Promise<void> {
    this.session = session;
    this.stopLoginTimer();
    this.onSettled();
    const outlet: MessageOutlet = {
      sendText: (text) => this.sendText(text),
      onFault: this.context.onFault,
      pause: () => this.reading.pause(),
      resume: () => this.reading.resume(),
      slowDown: (retryAfterMs, cause) => this.slowDown(retryAfterMs, cause),
    };
    const opened = await MessageSession.open(this.app, session, this.context, outlet);
    if (this.ended) return;
    this.messages = opened;
    const { sessionId, resource, username } = session;
    this.send({ type: 'ready', session: sessionId, resource, username, offline: opened.waiting });
    opened.start();
  }

  private refuse(error: unknown): void {
    const { code, detail, untilMs } = error instanceof AppError ? error : new AppError('internal');
    if (code === 'internal') this.context.onFault(error);
    this.sendError(code, detail, untilMs);
    const ours = code === 'internal' || code === 'database_unavailable' || code === 'overloaded';
    this.end(ours ? closeCodes.tryAgainLater : closeCodes.loginRefused, 'left');
  }

  private sendError(code: string, message = messageOf(code), until?: number): void {
    this.send({ type: 'error', code, message, ...(until === undefined ? {} : { until }) });
  }

  /** Counts a frame; false when there are too many, in which case the socket is closed. */
  private admitFrame(): boolean {
    if (this.liveness.admitFrame()) return true;
    if (!this.ended) {
      this.sendError('too_many_frames');
      this.end(closeCodes.policyViolation, 'violation');
    }
    return false;
  }

  /** A client that keeps exceeding its limit is disconnected. */
  private slowDown(retryAfterMs: number, cause: 'client' | 'app'): void {
    if (this.ended) return;
    if (cause === 'client' && !this.reading.overstep()) {
      this.sendError('rate_limited');
      return this.end(closeCodes.rateLimited, 'violation');
    }
    this.reading.slowDown(retryAfterMs);
  }

  /** Closes with a code, and does not wait long for the reply. */
  private end(code: number, reason: SessionEnd): void {
    this.leave(reason);
    // The client's close frame has to be read.
    this.reading.release();
    this.socket.close(code);
    setTimeout(() => this.socket.terminate(), farewellMs).unref();
  }

  private cut(reason: SessionEnd): void {
    this.leave(reason);
    this.socket.terminate();
  }

  private leave(reason: SessionEnd): void {
    if (this.ended) return;
    this.ended = true;
    this.stopLoginTimer();
    this.messages?.close();
    if (this.session !== null) this.context.presence.close(this.session.sessionId, reason);
  }

  private stopLoginTimer(): void {
    if (this.loginTimer !== null) clearTimeout(this.loginTimer);
    this.loginTimer = null;
  }
}
