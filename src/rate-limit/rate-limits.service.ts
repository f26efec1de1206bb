import { Injectable } from '@nestjs/common';
import { type App, rateProfileOf } from '../apps/app.js';
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/error-codes.js';
import { type Decision, RateLimitStore } from './rate-limit.store.js';

export type { Decision } from './rate-limit.store.js';

/** Calls per second and app: of one route of the user system (Agora), or of all of them together (Easemob). */
export const userSystemPerSecond = 100;
/** Calls per second by one user with a token of their own, over all routes that take it. */
export const callsPerUser = 10;
/** Wrong passwords or refresh tokens per minute for one user from one network (see `networkOf`). */
export const guessesPerUser = 10;
/** Wrong passwords or refresh tokens per minute for all users of an app from one network. */
export const guessesPerNetwork = 100;

/** Look-ups per second of where an app is served, for whatever app, from one network. */
export const lookUpsPerNetwork = 20;

/** A message counts as one more for each multiple of this size, as bytes are what keeps the disk busy. */
export const bytesPerMessage = 1_024;

const secondMs = 1_000;
const minuteMs = 60_000;
/** No stored name is longer, and names that nobody can have must not fill the memory. */
const maxUsernameLength = 255;

/** Failures that tell a guesser something: the password or the name was wrong, or the name exists. */
const wrongGuess: ReadonlySet<ErrorCode> = new Set([
  ...(['password_mismatch', 'refresh_token_not_accepted'] as const),
  ...(['login_user_not_found', 'user_not_found', 'registration_closed', 'user_banned'] as const),
]);

/**
 * Which calls of an app are counted together under Easemob's profile: `users` for the shared pool of the user system,
 * `own` for this route alone. Agora's profile counts each route on its own.
 */
export type RatePool = 'users' | 'own';

/** Owns how often an app may call, how much it may send, and how often anyone may guess a password or refresh token. */
@Injectable()
export class RateLimits {
  /** Called for each refusal, with the route or `password_guess`. */
  onRejected: (route: string) => void = () => undefined;

  constructor(private readonly store: RateLimitStore) {}

  /**
   * Counts a call of a route. Agora: 100/s per app and method, with some exceptions. Easemob: "the total default call
   * frequency limit for the user management APIs" is 100/s, and routes with their own limit are separate.
   * @returns null if the app has no limits
   */
  admit(app: App, route: string, perSecond: number, pool: RatePool): Decision | Promise<Decision> | null {
    const profile = rateProfileOf(app);
    if (profile === 'off') return null;
    const shared = profile === 'easemob' && pool === 'users';
    return shared
      ? this.store.consume(`{${app.id}}:rate:users`, userSystemPerSecond, secondMs)
      : this.store.consume(`{${app.id}}:rate:${route}`, perSecond, secondMs);
  }

  /**
   * Counts a call that a user makes by a token of their own. Users have a budget beside the app server's, which they
   * cannot exhaust, and one user has a small part of it.
   * @returns null if the app has no limits
   */
  admitUserCall(app: App, uuid: string, route: string, perSecond: number): Promise<Decision> | null {
    return rateProfileOf(app) === 'off' ? null : this.countUser(app, uuid, route, perSecond);
  }

  /**
   * Counts a message that a user sends against the limit for each user of the app.
   * @returns null if the app has no limits
   */
  admitUserMessage(app: App, username: string, bytes: number): Decision | Promise<Decision> | null {
    if (rateProfileOf(app) === 'off') return null;
    const limit = app.settings.messages_per_second_per_user;
    return this.store.consume(`{${app.id}}:rate:messages:${username}`, limit, secondMs, messagesIn(bytes));
  }

  /**
   * Counts a message to this many receivers, whoever sends it, against what the app may store.
   * @throws AppError rate_limited with retryAfterMs
   */
  async admitMessage(app: App, receivers: number, bytes: number): Promise<void> {
    if (rateProfileOf(app) === 'off') return;
    const calls = receivers - 1 + messagesIn(bytes);
    const limit = app.settings.messages_per_second;
    const decision = await this.store.consume(`{${app.id}}:rate:messages`, limit, secondMs, calls);
    if (!decision.allowed) throw this.rejection('messages', decision);
  }

  private async countUser(app: App, uuid: string, route: string, perSecond: number): Promise<Decision> {
    const own = await this.store.consume(`{${app.id}}:rate:user:${uuid}`, callsPerUser, secondMs);
    return own.allowed ? this.store.consume(`{${app.id}}:rate:${route}:users`, perSecond, secondMs) : own;
  }

  /**
   * Counts a look-up of an app by somebody who shows no credential, under every rate profile.
   * @throws AppError rate_limited with retryAfterMs
   */
  async admitLookUp(network: string): Promise<void> {
    const decision = await this.store.consume(`{look-ups:${network}}:rate`, lookUpsPerNetwork, secondMs);
    if (!decision.allowed) throw this.rejection('host_look_up', decision);
  }

  /** The error for a refused call. */
  rejection(route: string, { retryAfterMs }: Decision): AppError {
    this.onRejected(route);
    return new AppError('rate_limited', { retryAfterMs });
  }

  /**
   * Compares a password or refresh token, and counts the guess if the answer reveals that it was wrong. It counts from
   * before the comparison, so simultaneous guesses cannot pass together; a correct one is given back, and so is one
   * whose comparison we could not complete, or an impatient client would lock its user out while we are busy. Holds
   * under every rate profile, and for names that no user has.
   * @throws AppError rate_limited with retryAfterMs; whatever `compare` throws
   */
  async guess<Result>(app: App, username: string, network: string, compare: () => Promise<Result>): Promise<Result> {
    const { ofNetwork, ofUser } = guessKeys(app, username, network);
    const wide = await this.store.consume(ofNetwork, guessesPerNetwork, minuteMs);
    if (!wide.allowed) throw this.rejection('password_guess', wide);
    const narrow = await this.store.consume(ofUser, guessesPerUser, minuteMs);
    if (!narrow.allowed) {
      // Nothing was compared, so the network has not guessed.
      await this.store.refund(ofNetwork);
      throw this.rejection('password_guess', narrow);
    }
    let wrong = false;
    try {
      return await compare();
    } catch (error) {
      wrong = error instanceof AppError && wrongGuess.has(error.code);
      throw error;
    } finally {
      if (!wrong) await Promise.all([this.store.refund(ofNetwork), this.store.refund(ofUser)]);
    }
  }
}

function messagesIn(bytes: number): number {
  return 1 + Math.floor(bytes / bytesPerMessage);
}

function guessKeys(app: App, username: string, network: string): { ofNetwork: string; ofUser: string } {
  const ofNetwork = `{${app.id}}:rate:guess:${network}`;
  return { ofNetwork, ofUser: `${ofNetwork}:${username.slice(0, maxUsernameLength).toLowerCase()}` };
}
