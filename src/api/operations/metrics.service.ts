import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { PasswordHasher } from '../../passwords/password-hasher.service.js';
import { Clock } from '../../clock/clock.js';
import { RetentionClock } from '../../retention/retention-clock.js';
import { Database } from '../../database/database.js';
import type { LogDestination } from '../../logging/log-destination.js';
import { PresenceService } from '../../presence/presence.service.js';
import { SessionEvents } from '../../presence/session-events.js';
import { RateLimits } from '../../rate-limit/rate-limits.service.js';

/** The service's own metrics. No label holds a value chosen by a caller. */
@Injectable()
export class Metrics {
  private readonly registry = new Registry();
  private underWay: Promise<string> | null = null;
  private readonly requests = new Counter({
    name: 'rollcall_http_requests_total',
    help: 'Requests answered, by route and status',
    labelNames: ['method', 'route', 'status'],
    registers: [this.registry],
  });
  private readonly durations = new Histogram({
    name: 'rollcall_http_request_duration_seconds',
    help: 'Time from the request line to the last byte of the answer, by route',
    labelNames: ['method', 'route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });
  private readonly rejections = new Counter({
    name: 'rollcall_rate_limit_rejections_total',
    help: 'Calls rejected by the rate limit, by route',
    labelNames: ['route'],
    registers: [this.registry],
  });
  private readonly logins = new Counter({
    name: 'rollcall_logins_total',
    help: 'Sessions opened on this node',
    registers: [this.registry],
  });
  private readonly sessionEnds = new Counter({
    name: 'rollcall_session_ends_total',
    help: 'Sessions of this node that ended, by reason: kicks are all but left, silent, slow and violation',
    labelNames: ['reason'],
    registers: [this.registry],
  });
  private readonly kickLatencies = new Histogram({
    name: 'rollcall_kick_latency_seconds',
    help: 'Time from a ban, a revocation or another cause to the end of the session, on any node',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });

  constructor(
    private readonly clock: Clock,
    limits: RateLimits,
    database: Database,
    passwords: PasswordHasher,
    presence: PresenceService,
    sessions: SessionEvents,
    retention: RetentionClock,
  ) {
    collectDefaultMetrics({ register: this.registry, prefix: 'rollcall_' });
    limits.onRejected = (route) => this.rejections.inc({ route });
    this.gauge('rollcall_database_writes_waiting', 'Writes waiting in the queue', () => database.writesWaiting);
    this.gauge('rollcall_password_hashes_running', 'Password hashes being computed', () => passwords.running);
    this.gauge('rollcall_password_hashes_waiting', 'Password hashes waiting for a free core', () => passwords.waiting);
    this.gauge(
      'rollcall_clock_leapt_timestamp_seconds',
      'The time to which the clock last leapt, 0 if it has not: older rows are not expired until the retention period has passed since then',
      () => (retention.leaptAt ?? 0) / 1000,
    );
    this.observeSessions(presence, sessions);
  }

  /** Records every request that this server answers. */
  observe(fastify: FastifyInstance): void {
    fastify.addHook('onResponse', (request, reply, done) => {
      const method = request.method;
      const route = request.routeOptions.url ?? 'unknown';
      this.requests.inc({ method, route, status: reply.statusCode });
      this.durations.observe({ method, route }, (this.clock.monotonic() - request.rollcall.startedAt) / 1000);
      done();
    });
  }

  observeLog(destination: LogDestination): void {
    this.counter(
      'rollcall_log_lines_lost_total',
      'Log lines that could not be written because the disk is full or the reader has gone',
      () => destination.lostLines,
    );
  }

  /** @param cut the number cut so far, by reason */
  observeConnections(cut: Readonly<Record<string, number>>): void {
    new Counter({
      name: 'rollcall_connections_cut_total',
      help: 'Connections cut: too_many from one network, slow_reader, memory held by unread input or unsent output',
      labelNames: ['reason'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [reason, count] of Object.entries(cut)) this.inc({ reason }, count);
      },
    });
  }

  /** Prometheus text. Calls within one event loop turn share it: with many routes, it takes milliseconds to write. */
  text(): Promise<string> {
    return (this.underWay ??= this.write());
  }

  private async write(): Promise<string> {
    await nextTurn();
    // Calls from now on get a newer one.
    this.underWay = null;
    return this.registry.metrics();
  }

  private observeSessions(presence: PresenceService, sessions: SessionEvents): void {
    sessions.subscribe((event) => {
      if (event.type === 'opened') return this.logins.inc();
      this.sessionEnds.inc({ reason: event.reason });
      if (event.latencyMs !== undefined) this.kickLatencies.observe(event.latencyMs / 1000);
    });
    this.gauge('rollcall_sessions', 'Sessions on this node', () => presence.size);
    this.gauge('rollcall_nodes', 'Live nodes, as seen by this one', () => presence.liveNodes);
    this.gauge(
      'rollcall_presence_lease_age_seconds',
      'Time since this node last renewed its lease; its sessions stop counting at 10',
      () => (presence.leaseAgeMs ?? 0) / 1000,
    );
    this.counter('rollcall_presence_lookups_total', 'Users whose presence was looked up', () => presence.lookups);
  }

  /** For a number that is counted elsewhere. */
  private counter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  private gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}
