import type { App } from '../apps/app.js';
import type { AuditTrail } from '../audit/audit-trail.service.js';
import type { Clock } from '../clock/clock.js';
import type { User } from '../users/user.js';
import type { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { TrustedProxies } from './client-address.js';

/** What Rollcall keeps for each request. */
export interface RequestState {
  /** On the monotonic clock, in milliseconds. */
  readonly startedAt: number;
  /** The Content-Type, which only some dialects use. */
  readonly contentType?: string | undefined;
  /** Whether it holds one of the slots for requests in progress. */
  holdsPlace: boolean;
  /** The app of the path, once the guard has found it. */
  app?: App;
  /** The caller, once the guard knows: the app's server, or the uuid of a user. */
  caller?: string;
  /** The user who calls, where it is one, and the token that was shown. */
  user?: { readonly account: User; readonly token: string };
}

/** What every request of a server shares. */
export interface ServerState {
  readonly clock: Clock;
  /** What absolute URLs start with; null: taken from each request. */
  readonly publicUrl: string | null;
  readonly isTrustedProxy: TrustedProxies;
  readonly idempotency: IdempotencyService;
  readonly audit: AuditTrail;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether a call may have an effect, whatever its method. */
    changesSomething?: boolean;
    /** Whether a call may carry an Idempotency-Key. */
    idempotent?: boolean;
  }
  interface FastifyInstance {
    rollcall: ServerState;
  }
  interface FastifyRequest {
    rollcall: RequestState;
  }
}
