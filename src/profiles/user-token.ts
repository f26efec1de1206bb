import { createHash, createHmac, randomInt } from 'node:crypto';
import type { App } from '../apps/app.js';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const tokenLength = 20;
/** The largest multiple of 62 that a byte can be below: more would make some characters likelier than others. */
const fairBelow = 248;
/** The largest range that `randomInt` draws from; the column holds it exactly. */
const versionEnd = 2 ** 48 - 1;

/**
 * The user token of the Qiscus dialect: 20 of `A-Z a-z 0-9` (119 bits), the same until its version moves. Derived from
 * a secret of the app, so that the database keeps nothing that opens an account.
 */
export function deriveUserToken(app: App, userUuid: string, version: number): string {
  return derive(app, `user token\n${userUuid}\n${version}`, tokenLength);
}

/** What a client shows to get the user token again; ends together with it. 40 characters. */
export function deriveRefreshToken(app: App, userUuid: string, version: number): string {
  return derive(app, `refresh token\n${userUuid}\n${version}`, 2 * tokenLength);
}

/** Drawn at random, so that whoever has read the app's secret cannot tell the token that comes after a reset. */
export function drawTokenVersion(): number {
  return randomInt(1, versionEnd);
}

/** Whether a text has the form of a user token: nothing else that opens the product has it. */
export function isUserToken(text: string): boolean {
  return /^[A-Za-z0-9]{20}$/.test(text);
}

/** What is stored of a token: enough to find its user, too little to be it. */
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
