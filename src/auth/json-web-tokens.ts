import type { KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type JwtModuleOptions, JwtService } from '@nestjs/jwt';
import { AppError } from '../errors/app-error.js';
import type { SigningKey } from './signing-key.js';

interface CommonClaims {
  readonly iss: typeof issuer;
  /** The id of the app. */
  readonly aud: string;
  readonly jti: string;
  /** Unix seconds. */
  readonly iat: number;
  /** Unix seconds: the first one in which the token is no longer good. */
  readonly exp: number;
}

export interface AppClaims extends CommonClaims {
  readonly use: 'app';
}

export interface UserClaims extends CommonClaims {
  readonly use: 'user';
  /** The uuid of the user. */
  readonly sub: string;
  /** The user's `tokenEpoch` at the issue. */
  readonly epoch: number;
}

export type Claims = AppClaims | UserClaims;

export const issuer = 'rollcall';
/** 68 years: clients keep a life in a signed 32-bit integer. */
export const maxLifeSeconds = 2_147_483_647;
const maxLength = 4096;
const clockSkewSeconds = 60;
/** Byte for byte what is signed here. So the header has no other member, no member twice, and no other algorithm. */
const header = /^\{"alg":"HS256","typ":"JWT","kid":"([0-9a-f]{16})"\}$/;
const memberNames = { app: 'aud,exp,iat,iss,jti,use', user: 'aud,epoch,exp,iat,iss,jti,sub,use' };

/** Of the service that is injected. Times and members are checked here, more strictly and by our clock. */
export const jwtOptions: JwtModuleOptions = {
  signOptions: { algorithm: 'HS256' },
  verifyOptions: { algorithms: ['HS256'], ignoreExpiration: true, ignoreNotBefore: true },
};

/** Owns the form of our own tokens. */
@Injectable()
export class JsonWebTokens {
  constructor(private readonly jwt: JwtService) {}

  sign(claims: Claims, { secret, kid }: SigningKey): string {
    return this.jwt.sign(claims, { privateKey: secret, keyid: kid });
  }

  /**
   * Accepts what `sign` writes and no other spelling of it (RFC 8725; the libraries alone let a missing `exp`, members
   * given twice, `crit` and much more pass).
   * @returns the claims and the key that signed
   * @throws AppError token_malformed (not a Rollcall token, or forged), token_expired, token_not_accepted (another app's,
   * a key that the app no longer has, or from the future)
   */
  verify(
    token: string,
    audience: string,
    keys: readonly SigningKey[],
    nowSeconds: number,
  ): { claims: Claims; key: SigningKey } {
    if (token.length > maxLength) throw new AppError('token_malformed');
    const parts = token.split('.');
    if (parts.length !== 3) throw new AppError('token_malformed');
    const [headerText, payloadText] = parts.map(decodeCanonical) as [string, string, string];
    const kid = header.exec(headerText)?.[1];
    if (kid === undefined) throw new AppError('token_malformed');
    const key = keys.find((candidate) => candidate.kid === kid);
    if (key === undefined) throw new AppError('token_not_accepted');

    const claims = this.verifySignature(token, key);
    // A member given twice, a number too large to keep and any stray blank are lost on the way back to text.
    if (!areClaims(claims) || JSON.stringify(claims) !== payloadText) throw new AppError('token_malformed');
    if (claims.aud !== audience || claims.iat > nowSeconds + clockSkewSeconds) throw new AppError('token_not_accepted');
    if (claims.exp <= nowSeconds) throw new AppError('token_expired');
    return { claims, key };
  }

  private verifySignature(token: string, { secret }: SigningKey): unknown {
    try {
      return verifyWith<object>(this.jwt, token, secret);
    } catch (cause) {
      throw new AppError('token_malformed', { cause });
    }
  }
}

/** A KeyObject verifies fifty times as fast as the text of a secret; the types of the package leave it out here. */
export function verifyWith<Claims extends object>(jwt: JwtService, token: string, key: KeyObject): Claims {
  return jwt.verify<Claims>(token, { publicKey: key as unknown as Buffer });
}

function decodeCanonical(part: string): string {
  const bytes = Buffer.from(part, 'base64url');
  if (part === '' || bytes.toString('base64url') !== part) throw new AppError('token_malformed');
  return bytes.toString();
}

function areClaims(value: unknown): value is Claims {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const claims = value as Partial<Record<string, unknown>>;
  const { use, iat, exp } = claims;
  if (use !== 'app' && use !== 'user') return false;
  if (Object.keys(claims).sort().join() !== memberNames[use]) return false;
  if (claims.iss !== issuer || !isText(claims.aud) || !isText(claims.jti)) return false;
  if (!isCount(iat) || !isCount(exp) || exp <= iat || exp - iat > maxLifeSeconds) return false;
  return use === 'app' || (isText(claims.sub) && isCount(claims.epoch));
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
