import { LRUCache } from 'lru-cache';
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { App } from '../apps/app.js';
import { AppError } from '../errors/app-error.js';

/** Signs and verifies Rollcall's own tokens under one certificate of one app. */
export interface SigningKey {
  /** Identifies the key in a token's header: 16 hex digits that reveal nothing about the key. */
  readonly kid: string;
  readonly secret: KeyObject;
  readonly certificate: string;
}

const info = 'rollcall user system jwt v1';
const secretBytes = 32;
const kidBytes = 8;
const maxKeys = 1000;

/**
 * The key is derived and stored nowhere: every node derives the same one from the app's row, no other app's token can
 * ever verify, and removing a certificate from the app ends its tokens. The `kid` is a later part of the same HKDF
 * output, independent of the part that signs.
 */
export function deriveSigningKey(appId: string, certificate: string): SigningKey {
  const derived = Buffer.from(hkdfSync('sha256', certificate, appId, info, secretBytes + kidBytes));
  return {
    kid: derived.subarray(secretBytes).toString('hex'),
    secret: createSecretKey(derived.subarray(0, secretBytes)),
    certificate,
  };
}

/** The signing keys of apps, each derived once. */
export class SigningKeys {
  readonly #keys = new LRUCache<string, SigningKey>({ max: maxKeys });

  /** Every key that currently verifies. */
  of(app: App): SigningKey[] {
    return app.certificates.map((certificate) => this.#key(app.id, certificate));
  }

  /** The key that currently signs. */
  first(app: App): SigningKey {
    const [certificate] = app.certificates;
    if (certificate === undefined) throw new AppError('internal', { cause: 'the app has no certificate' });
    return this.#key(app.id, certificate);
  }

  #key(appId: string, certificate: string): SigningKey {
    const name = `${appId}\n${certificate}`;
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const key = deriveSigningKey(appId, certificate);
    this.#keys.set(name, key);
    return key;
  }
}
