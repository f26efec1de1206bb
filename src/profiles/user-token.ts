import { createHash, createHmac, randomInt } from 'node:crypto';
import type { App } from '../apps/app.js';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const tokenLength = 20;
/** The largest multiple of 62 that fits a byte: using bytes from here on would make some characters likelier. */
const fairBelow = 248;
/** The largest range `randomInt` supports; the column holds it exactly. */
const versionEnd = 2 ** 48 - 1;

/**
 * The user token of the Qiscus dialect: 20 of `A-Z a-z 0-9` (119 bits), the same until its version changes. Derived
 * from a secret of the app, so that the database holds nothing that opens an account.
 */
export function deriveUserToken(app: App, userUuid: string, version: number): string {
  return derive(app, `user token\n${userUuid}\n${version}`, tokenLength);
}

/** What a client presents to get the user token again; ends together with it. 40 characters. */
export function deriveRefreshToken(app: App, userUuid: string, version: number): string {
  return derive(app, `refresh token\n${userUuid}\n${version}`, 2 * tokenLength);
}

/** Random, so that knowing the app's secret doesn't reveal the token after a reset. */
export function drawTokenVersion(): number {
  return randomInt(1, versionEnd);
}

/** Whether a text has the form of a user token, which no other credential has. */
export function isUserToken(text: string): boolean {
  return /^[A-Za-z0-9]{20}$/.test(text);
}

/** The stored form of a token: enough to find its user, too little to be used as the token. */
export function hashUserToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function derive(app: App, purpose: string, length: number): string {
  let text = '';
  for (let block = 0; text.length < length; block += 1)
    for (const byte of createHmac('sha512', Buffer.from(app.tokenSecret, 'hex'))
      .update(`${purpose}\n${block}`)
      .digest())
      if (byte < fairBelow) text += alphabet[byte % alphabet.length];
  return text.slice(0, length);
}
