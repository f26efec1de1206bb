import { createHash } from 'node:crypto';
import type { App } from './app.js';

/** A short fingerprint of an app's secret that reveals nothing about it; kept with whatever the secret has admitted. */
export function fingerprintOf(secret: string): string {
  return createHash('sha256').update(`fingerprint of a secret\n${secret}`).digest('base64url').slice(0, 22);
}

/** The fingerprints of all secrets that currently grant access. */
export function fingerprintsOf({ certificates, tokenSecret }: App): ReadonlySet<string> {
  return new Set([...certificates, tokenSecret].map(fingerprintOf));
}
