import { createSecretKey } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import type { App } from '../apps/app.js';
import { Clock } from '../clock/clock.js';
import { RetentionClock } from '../retention/retention-clock.js';
import { AppError } from '../errors/app-error.js';
import { endOfNonce, type IssuedNonce, issueNonce, nonceLifeSeconds } from './identity-nonce.js';
import { verifyWith } from './json-web-tokens.js';
import { UsedNoncesRepository } from './used-nonces.repository.js';

/** The user that an app vouches for. */
export interface Identity {
  readonly userId: string;
  readonly name: string | undefined;
  readonly avatarUrl: string | undefined;
  /** The token was not issued before this second, in Unix time. */
  readonly issuedAtSeconds: number;
}

const maxLength = 4096;
const clockSkewSeconds = 60;
/** How long a used nonce is kept after its expiry, so that correcting a fast clock makes none usable again. */
const nonceKeptMs = 24 * 3600 * 1000;

/**
 * Owns identity tokens: an app server signs one (JWT, HS256, with the App certificate) for its user's client, which
 * presents it here instead of a password. Each is bound to a nonce that the client requested before, and works once.
 */
@Injectable()
export class IdentityTokensService {
  constructor(
    private readonly clock: Clock,
    private readonly retention: RetentionClock,
    private readonly usedNonces: UsedNoncesRepository,
    private readonly jwt: JwtService,
  ) {}

  issueNonce(app: App): IssuedNonce {
    return issueNonce(app, this.clock.nowSeconds());
  }

  /**
   * Verifies an identity token and uses up its nonce. Claims: `iss` App ID or alias, `prn` the user, `nce` the nonce,
   * `exp`, and optionally `iat`, `nbf`, `name`, `avatar_url` (Qiscus' documentation of its web SDK).
   * @throws AppError token_malformed (not signed by this app), token_not_accepted (expired, another app's, or with a
   *   nonce that is foreign, expired or used)
   */
  async verify(app: App, token: string): Promise<Identity> {
    const claims = this.#verifySignature(app, token);
    const { iss, prn, nce, iat = 0, nbf = 0, exp, name, avatar_url: avatarUrl } = claims;
    const nowSeconds = this.clock.nowSeconds();
    const latestStart = nowSeconds + clockSkewSeconds;
    const inTime =
      isTime(exp) && exp > nowSeconds && isTime(iat) && iat <= latestStart && isTime(nbf) && nbf <= latestStart;
    if (!inTime || !isOf(app, iss) || typeof nce !== 'string' || typeof prn !== 'string' || prn === '')
      throw new AppError('token_not_accepted');
    const endsAtSeconds = endOfNonce(app, nce);
    if (endsAtSeconds === null || endsAtSeconds <= nowSeconds) throw new AppError('token_not_accepted');
    if (!(await this.usedNonces.useOnce(app.id, nce, endsAtSeconds * 1000, this.retention.dueBefore(nonceKeptMs))))
      throw new AppError('token_not_accepted');
    // Not every token says when it was issued, but none is older than its nonce.
    const issuedAtSeconds = Math.max(Math.floor(iat), endsAtSeconds - nonceLifeSeconds);
    return { userId: prn, name: textOrNothing(name), avatarUrl: textOrNothing(avatarUrl), issuedAtSeconds };
  }

  #verifySignature(app: App, token: string): Record<string, unknown> {
    if (token.length > maxLength) throw new AppError('token_malformed');
    for (const certificate of app.certificates) {
      try {
        return verifyWith<Record<string, unknown>>(this.jwt, token, createSecretKey(certificate, 'utf8'));
      } catch {
        // It may be signed with the other certificate of a rotation.
      }
    }
    throw new AppError('token_malformed');
  }
}

function isOf(app: App, issuer: unknown): boolean {
  return typeof issuer === 'string' && (issuer.toLowerCase() === app.appId || issuer === app.alias);
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
