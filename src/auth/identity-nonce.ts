import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { App } from '../apps/app.js';

export interface IssuedNonce {
  /** 40 hex digits. */
  readonly nonce: string;
  /** Unix seconds. */
  readonly expiresAtSeconds: number;
}

export const nonceLifeSeconds = 600;
const randomHexBytes = 6;
const checkDigits = 20;

/**
 * A nonce for one identity token, valid for 10 minutes. Anyone may request one, so nothing is stored: the nonce
 * contains its expiry, and a checksum that only this app's nodes can compute.
 */
export function issueNonce(app: App, nowSeconds: number): IssuedNonce {
  const expiresAtSeconds = nowSeconds + nonceLifeSeconds;
  const text = expiresAtSeconds.toString(16).padStart(8, '0') + randomBytes(randomHexBytes).toString('hex');
  return { nonce: text + check(app, text), expiresAtSeconds };
}

/** When the nonce expires, in Unix seconds; null if this app did not issue it. */
export function endOfNonce(app: App, nonce: string): number | null {
  const [, text, given] = /^([0-9a-f]{20})([0-9a-f]{20})$/.exec(nonce) ?? [];
  if (text === undefined || given === undefined) return null;
  return timingSafeEqual(Buffer.from(given), Buffer.from(check(app, text))) ? parseInt(text.slice(0, 8), 16) : null;
}

function check(app: App, text: string): string {
  const hmac = createHmac('sha256', Buffer.from(app.tokenSecret, 'hex'));
  return hmac.update(`nonce\n${text}`).digest('hex').slice(0, checkDigits);
}
