import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { App } from '../apps/app.js';
import { fingerprintOf } from '../apps/app-secrets.js';
import { Clock } from '../clock/clock.js';
import { AppError } from '../errors/app-error.js';
import { ProfilesService } from '../profiles/profiles.service.js';
import { isUserToken } from '../profiles/user-token.js';
import type { User } from '../users/user.js';
import { bannedError } from '../users/banned-error.js';
import { UsersService } from '../users/users.service.js';
import { isAccessToken2, verifyAccessToken2 } from './access-token2.js';
import { issuer, JsonWebTokens, maxLifeSeconds } from './json-web-tokens.js';
import { SigningKeys } from './signing-key.js';
import { type Issued, outlivesEpoch } from '../users/token-epoch.js';

export interface IssuedToken {
  readonly accessToken: string;
  /** At most 2147483647, since clients store it in a signed 32-bit integer. */
  readonly expiresInSeconds: number;
}

export interface ExchangedToken {
  readonly accessToken: string;
  readonly expiresAtSeconds: number;
}

export interface AuthenticatedApp {
  readonly kind: 'app';
  readonly expiresAtSeconds: number;
}

export interface AuthenticatedUser {
  readonly user: User;
  readonly expiresAtSeconds: number;
  /** `outlivesEpoch(issued, user.tokenEpoch)` tells later whether the token would still be valid. */
  readonly issued: Issued;
  /** The fingerprint of the app's secret that the token depends on: it ends when the app no longer has that secret. */
  readonly letInBy: string;
}

/** What holds for a token whatever happens to its user: only this may be cached. */
type VerifiedToken = { readonly certificate: string; readonly expiresAtSeconds: number } & (
  { readonly kind: 'app' } | { readonly kind: 'user'; readonly userId: string; readonly issued: Issued }
);

const maxRemembered = 10_000;

/**
 * Owns authentication: issues Rollcall's tokens (JWT), and verifies them and Agora's AccessToken2. Nothing is stored: a
 * token ends when it expires, with the certificate that signed it, or with the `tokenEpoch` of its user, which is read
 * every time.
 */
@Injectable()
export class TokensService {
  readonly #keys = new SigningKeys();
  readonly #remembered = new LRUCache<string, VerifiedToken>({ max: maxRemembered });

  constructor(
    private readonly clock: Clock,
    private readonly users: UsersService,
    private readonly profiles: ProfilesService,
    private readonly jsonWebTokens: JsonWebTokens,
  ) {}

  /**
   * Issues a token that grants access to everything in the app.
   * @param ttlSeconds undefined: the app's `token_ttl_seconds`; 0: the longest lifetime possible
   * @throws AppError argument_invalid
   */
  issueAppToken(app: App, ttlSeconds?: number): IssuedToken {
    const expiresInSeconds = lifeSeconds(app, ttlSeconds);
    return { accessToken: this.#signApp(app, this.clock.nowSeconds() + expiresInSeconds), expiresInSeconds };
  }

  /**
   * Issues a token for one user, valid until the user's epoch moves. The ttl is as for `issueAppToken`.
   * @throws AppError user_banned, argument_invalid
   */
  issueUserToken(app: App, user: User, ttlSeconds?: number): IssuedToken {
    if (!user.activated) throw bannedError(user);
    const expiresInSeconds = lifeSeconds(app, ttlSeconds);
    return { accessToken: this.#signUser(app, user, this.clock.nowSeconds() + expiresInSeconds), expiresInSeconds };
  }

  /**
   * Accepts an app token: one of Rollcall's JWTs, or an AccessToken2.
   * @throws AppError token_malformed, token_expired, token_not_accepted (another app's, or a user token)
   */
  authenticateApp(app: App, bearer: string): AuthenticatedApp {
    const { kind, expiresAtSeconds } = this.#verify(app, bearer);
    if (kind !== 'app') throw new AppError('token_not_accepted');
    return { kind, expiresAtSeconds };
  }

  /** Whether a token of this app is its own or a user's. @throws AppError token_malformed, token_expired, token_not_accepted */
  isAppToken(app: App, bearer: string): boolean {
    return !isUserToken(bearer) && this.#verify(app, bearer).kind === 'app';
  }

  /**
   * Accepts a user token: one of Rollcall's JWTs, an AccessToken2 that names the user by uuid or by name, or the user
   * token of 20 characters that stays the same until it is reset.
   * @throws AppError token_malformed, token_expired, token_not_accepted (another app's, an app token, an unknown user,
   *   or revoked), user_banned
   */
  async authenticateUser(app: App, bearer: string): Promise<AuthenticatedUser> {
    if (isUserToken(bearer)) return this.#authenticateByUserToken(app, bearer);
    const token = this.#verify(app, bearer);
    if (token.kind !== 'user') throw new AppError('token_not_accepted');
    const { issued, expiresAtSeconds, certificate } = token;
    const user =
      issued.by === 'rollcall'
        ? await this.users.findByUuid(app.id, token.userId)
        : await this.#findByUuidOrName(app, token.userId, issued.atSeconds);
    if (user === null || !outlivesEpoch(issued, user.tokenEpoch)) throw new AppError('token_not_accepted');
    if (!user.activated) throw bannedError(user);
    return { user, expiresAtSeconds, issued, letInBy: fingerprintOf(certificate) };
  }

  /**
   * Exchanges an AccessToken2 for a JWT of the same kind and with the same expiry.
   * @throws AppError as `authenticateUser`; token_malformed also for a JWT, as there is nothing to exchange it for
   */
  async exchange(app: App, bearer: string): Promise<ExchangedToken> {
    if (!isAccessToken2(bearer)) throw new AppError('token_malformed');
    const { kind, expiresAtSeconds } = this.#verify(app, bearer);
    const accessToken =
      kind === 'app'
        ? this.#signApp(app, expiresAtSeconds)
        : this.#signUser(app, (await this.authenticateUser(app, bearer)).user, expiresAtSeconds);
    return { accessToken, expiresAtSeconds };
  }

  /**
   * Such a token survives a change of password and does not expire. What it opens does: a session keeps the epoch in
   * which the token was looked up.
   */
  async #authenticateByUserToken(app: App, token: string): Promise<AuthenticatedUser> {
    const found = await this.profiles.findByToken(app, token);
    if (found === null || found.tokenEpoch !== found.user.tokenEpoch) throw new AppError('token_not_accepted');
    if (!found.user.activated) throw bannedError(found.user);
    return {
      user: found.user,
      expiresAtSeconds: this.clock.nowSeconds() + maxLifeSeconds,
      issued: { by: 'rollcall', epoch: found.tokenEpoch },
      letInBy: fingerprintOf(app.tokenSecret),
    };
  }

  #signApp(app: App, exp: number): string {
    return this.jsonWebTokens.sign({ ...this.#commonClaims(app, exp), use: 'app' }, this.#keys.first(app));
  }

  #signUser(app: App, { uuid, tokenEpoch }: User, exp: number): string {
    const claims = { ...this.#commonClaims(app, exp), use: 'user', sub: uuid, epoch: tokenEpoch } as const;
    return this.jsonWebTokens.sign(claims, this.#keys.first(app));
  }

  #commonClaims(app: App, exp: number) {
    const jti = randomBytes(12).toString('base64url');
    return { iss: issuer, aud: app.id, jti, iat: this.clock.nowSeconds(), exp } as const;
  }

  #verify(app: App, bearer: string): VerifiedToken {
    // The key is the complete text, and only verified tokens get one, so a similar text finds nothing here.
    const name = `${app.id}\n${bearer}`;
    const nowSeconds = this.clock.nowSeconds();
    const known = this.#remembered.get(name);
    if (known && known.expiresAtSeconds > nowSeconds && app.certificates.includes(known.certificate)) return known;
    this.#remembered.delete(name);
    const token = isAccessToken2(bearer)
      ? this.#readAccessToken2(app, bearer, nowSeconds)
      : this.#readJsonWebToken(app, bearer, nowSeconds);
    this.#remembered.set(name, token);
    return token;
  }

  #readAccessToken2(app: App, bearer: string, nowSeconds: number): VerifiedToken {
    const { kind, userId, issuedAtSeconds, ...common } = verifyAccessToken2(bearer, app, nowSeconds);
    return kind === 'app'
      ? { ...common, kind }
      : { ...common, kind, userId, issued: { by: 'agora', atSeconds: issuedAtSeconds } };
  }

  #readJsonWebToken(app: App, bearer: string, nowSeconds: number): VerifiedToken {
    const { claims, key } = this.jsonWebTokens.verify(bearer, app.id, this.#keys.of(app), nowSeconds);
    const common = { certificate: key.certificate, expiresAtSeconds: claims.exp };
    return claims.use === 'app'
      ? { ...common, kind: 'app' }
      : { ...common, kind: 'user', userId: claims.sub, issued: { by: 'rollcall', epoch: claims.epoch } };
  }

  /**
   * A user's name may be another user's uuid, from before such names were refused. If an app server issues tokens for
   * names, such a token must not open the account with that uuid; if it issues them for uuids, not the account with
   * that name. So it opens neither. A uuid belongs to one user for ever; a name may have belonged to another one
   * before.
   */
  async #findByUuidOrName(app: App, userId: string, atSeconds: number): Promise<User | null> {
    const [byUuid, byName] = await Promise.all([
      this.users.findByUuid(app.id, userId),
      this.users.find(app.id, userId),
    ]);
    if (byName === null) return byUuid;
    return byUuid === null && (await this.users.isForOwner(byName, atSeconds)) ? byName : null;
  }
}

function lifeSeconds(app: App, ttlSeconds: number = app.settings.token_ttl_seconds): number {
  if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 0)
    throw new AppError('argument_invalid', { detail: 'ttl must be a whole number of seconds, 0 for the longest life' });
  return ttlSeconds === 0 ? maxLifeSeconds : Math.min(ttlSeconds, maxLifeSeconds);
}
