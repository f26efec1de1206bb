import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServerOptions, WebSocketServer } from 'ws';
import type { App } from '../apps/app.js';
import { reservedOrgs } from '../apps/app-name.js';
import { AppsService } from '../apps/apps.service.js';
import { TokensService } from '../auth/tokens.service.js';
import { Clock } from '../clock/clock.js';
import { Env } from '../config/env.js';
import { pairsOf, utf8 } from '../decoding/text.js';
import { AppError } from '../errors/app-error.js';
import { clientAddressOf, type TrustedProxies, trustedProxies } from '../http/client-address.js';
import { afterPendingAnswers } from '../http/pending-answers.js';
import { canonicalTarget, segmentsOf } from '../http/request-target.js';
import { MessagesService } from '../messages/messages.service.js';
import { OfflineMessagesService } from '../offline-messages/offline-messages.service.js';
import { PresenceService } from '../presence/presence.service.js';
import { MutesService } from '../mutes/mutes.service.js';
import { networkOf } from '../http/network-of.js';
import { RateLimits } from '../rate-limit/rate-limits.service.js';
import { FrameTurns } from './frame-turns.js';
import { messageOf, readDevice } from './frames.js';
import { GatewaySocket } from './gateway-socket.js';
import { MarksUnderWay } from './marks-under-way.js';
import type { SocketContext } from './socket-context.js';
import { serveWithoutUpgrade, wantsWebSocket } from './unwanted-upgrade.js';

const beatEveryMs = 1_000;
/** A beat delayed this much says more about this process than about its clients. */
const lateMs = 2_000;
/** How long a message waits for a retry after the database was unavailable. */
const tryAgainEveryMs = 5_000;
/** The largest share of a node's sockets that one app may have. */
const maxShareOfApp = 0.8;
/** How long clients may take to answer the close frame of a stopping node. */
const farewellMs = 1_000;

// `closeTimeout` is missing from the types. By default ws accepts 100 MiB and any number of fragments.
const socketLimits: ServerOptions & { closeTimeout: number } = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: 64 * 1024,
  maxFragments: 64,
  maxBufferedChunks: 1_024,
  closeTimeout: 5_000,
};

/** A connection refused before it becomes a WebSocket. */
class UpgradeRefused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message = messageOf(code),
  ) {
    super(message);
  }
}

/** Owns the WebSockets of end users: admits them, monitors them, and sends them elsewhere when this node stops. */
@Injectable()
export class GatewayService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Gateway');
  private readonly sockets = new Set<GatewaySocket>();
  /** Sockets not logged in yet, by network. */
  private readonly pending = new Map<string, number>();
  /** All sockets, by app. */
  private readonly ofApps = new Map<string, number>();
  private readonly upgrades = new WebSocketServer(socketLimits);
  private readonly isTrustedProxy: TrustedProxies;
  private readonly context: SocketContext;
  private timer: NodeJS.Timeout | undefined;
  private connections = 0;
  private beatAt = 0;
  private triedAt = 0;
  private draining: Promise<void> | null = null;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly env: Env,
    private readonly clock: Clock,
    private readonly apps: AppsService,
    private readonly tokens: TokensService,
    private readonly presence: PresenceService,
    messages: MessagesService,
    offlineMessages: OfflineMessagesService,
    mutes: MutesService,
    limits: RateLimits,
  ) {
    this.isTrustedProxy = trustedProxies(env.trustProxy);
    // ws would send its own response.
    this.upgrades.on('wsClientError', ({ message }: Error, socket) =>
      this.refuse(socket, new UpgradeRefused(400, 'argument_invalid', message)),
    );
    this.context = {
      clock,
      apps,
      tokens,
      presence,
      pingMs: env.gatewayPingMs,
      loginTimeoutMs: env.gatewayLoginTimeoutMs,
      onFault: (error) => this.logger.error('a login failed because of an internal error', error),
      messages,
      offlineMessages,
      mutes,
      limits,
      marksUnderWay: new MarksUnderWay(),
      turns: new FrameTurns(),
    };
  }

  /** Only if there is a server: the command line uses the same container. */
  onApplicationBootstrap(): void {
    const server = this.host.httpAdapter?.getHttpServer() as Server | undefined;
    if (server === undefined) return;
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
      afterPendingAnswers(socket, () => {
        if (wantsWebSocket(request)) void this.upgrade(request, socket, head);
        else serveWithoutUpgrade(server, request, socket, head);
      }),
    );
    // Not earlier: startup blocks the event loop so long that Redis would seem not to answer.
    server.once('listening', () => this.begin());
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.drain();
  }

  /** Admits nobody else and sends all clients elsewhere. Resolves when all are gone, within a second or so. */
  drain(): Promise<void> {
    this.draining ??= this.sendAllOn();
    return this.draining;
  }

  private begin(): void {
    this.presence.start();
    this.beatAt = this.clock.monotonic();
    this.timer = setInterval(() => this.beat(), beatEveryMs).unref();
  }

  private async sendAllOn(): Promise<void> {
    clearInterval(this.timer);
    const left = this.presence.stop();
    // Those not logged in yet.
    for (const socket of this.sockets) socket.kick('shutdown');
    await left;
    for (const until = this.clock.monotonic() + farewellMs; this.sockets.size > 0 && this.clock.monotonic() < until;)
      await sleep(10);
    for (const socket of this.sockets) socket.terminate();
  }

  private async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const settle = this.admit(request, socket);
      const app = await this.appOf(request);
      this.admitToApp(app, socket);
      const user = await this.userOf(request, app);
      const device = readDevice(queryOf(request));
      if (user !== null && typeof device === 'string') throw new UpgradeRefused(400, 'argument_invalid', device);
      if (this.draining !== null) throw new UpgradeRefused(503, 'stopping');
      this.upgrades.handleUpgrade(request, socket, head, (webSocket) => {
        const client = new GatewaySocket(webSocket, app, this.context, settle);
        this.sockets.add(client);
        webSocket.once('close', () => this.sockets.delete(client));
        if (user !== null && typeof device !== 'string') void client.logIn(user, device);
      });
    } catch (error) {
      this.refuse(socket, error);
    }
  }

  /** Reserves a slot for a socket not logged in yet. @returns a function that frees it, as the socket's end does */
  private admit(request: IncomingMessage, socket: Duplex): () => void {
    if (this.draining !== null) throw new UpgradeRefused(503, 'stopping');
    const { origin } = request.headers;
    const { gatewayAllowedOrigins, gatewayMaxSessions, gatewayMaxPendingPerAddress } = this.env;
    if (origin !== undefined && gatewayAllowedOrigins.length > 0 && !gatewayAllowedOrigins.includes(origin))
      throw new UpgradeRefused(403, 'origin_refused');
    if (this.connections >= gatewayMaxSessions) throw new UpgradeRefused(503, 'overloaded');
    const network = networkOf(clientAddressOf(request, this.isTrustedProxy));
    const pending = this.pending.get(network) ?? 0;
    if (pending >= gatewayMaxPendingPerAddress) throw new UpgradeRefused(429, 'too_many_pending');
    this.pending.set(network, pending + 1);
    this.connections += 1;
    let settled = false;
    const settle = (): void => {
      if (settled) return;
      settled = true;
      const left = (this.pending.get(network) ?? 1) - 1;
      if (left > 0) this.pending.set(network, left);
      else this.pending.delete(network);
    };
    socket.once('close', () => {
      settle();
      this.connections -= 1;
    });
    return settle;
  }

  /** Reserves one of the app's slots until the socket ends. */
  private admitToApp(app: App, socket: Duplex): void {
    // Its end has already been signalled.
    if (socket.destroyed) return;
    const count = this.ofApps.get(app.id) ?? 0;
    const limit = Math.min(app.settings.sessions_per_node, Math.ceil(this.env.gatewayMaxSessions * maxShareOfApp));
    if (count >= limit) throw new UpgradeRefused(503, 'too_many_sessions');
    this.ofApps.set(app.id, count + 1);
    socket.once('close', () => {
      const left = (this.ofApps.get(app.id) ?? 1) - 1;
      if (left > 0) this.ofApps.set(app.id, left);
      else this.ofApps.delete(app.id);
    });
  }

  private async appOf(request: IncomingMessage): Promise<App> {
    const [path = ''] = canonicalTarget(request.url).split('?', 1);
    const [first, second, last, ...more] = segmentsOf(path).map(decode);
    const known = last === 'ws' && more.length === 0 && first !== undefined && second !== undefined;
    if (!known || (first !== 'app-id' && reservedOrgs.has(first.toLowerCase())))
      throw new UpgradeRefused(404, 'route_not_found');
    const app = await (first === 'app-id' ? this.apps.findByAppId(second) : this.apps.find(first, second));
    if (app === null) throw new UpgradeRefused(404, 'app_not_found');
    if (app.disabled) throw new UpgradeRefused(403, 'app_disabled');
    return app;
  }

  /** The user of `Authorization: Bearer …`; null: a `login` frame will follow. */
  private async userOf({ headers }: IncomingMessage, app: App) {
    if (headers.authorization === undefined) return null;
    const token = /^Bearer +(\S+) *$/i.exec(headers.authorization)?.[1];
    if (token === undefined) throw new UpgradeRefused(401, 'token_missing');
    return this.tokens.authenticateUser(app, token);
  }

  private refuse(socket: Duplex, error: unknown): void {
    const { status, code, message } = toRefusal(error);
    if (status === 500) this.logger.error('an upgrade failed because of an internal error', error);
    const body = JSON.stringify({ code, message });
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...(status === 503 || status === 429 ? ['Retry-After: 1'] : []),
      // RFC 6455 (4.4): a client with another version is told the supported one.
      ...(status === 400 ? ['Sec-WebSocket-Version: 13'] : []),
    ];
    socket.once('finish', () => socket.destroy());
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  }

  private beat(): void {
    const now = this.clock.monotonic();
    const late = now - this.beatAt > beatEveryMs + lateMs;
    this.beatAt = now;
    for (const socket of this.sockets) socket.beat(now, late);
    if (now - this.triedAt < tryAgainEveryMs) return;
    this.triedAt = now;
    for (const socket of this.sockets) socket.tryAgain();
  }
}

function toRefusal(error: unknown): UpgradeRefused {
  if (error instanceof UpgradeRefused) return error;
  if (!(error instanceof AppError)) return new UpgradeRefused(500, 'internal');
  const { code } = error;
  if (code === 'database_unavailable' || code === 'overloaded') return new UpgradeRefused(503, code);
  return new UpgradeRefused(code === 'user_banned' ? 403 : 401, code);
}

function queryOf({ url }: IncomingMessage): Record<string, string> {
  try {
    return Object.fromEntries(pairsOf(canonicalTarget(url).replace(/^[^?]*\??/, ''), utf8));
  } catch {
    throw new UpgradeRefused(400, 'argument_invalid', 'the query is not UTF-8');
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new UpgradeRefused(404, 'route_not_found');
  }
}
