import { createHash, timingSafeEqual } from 'node:crypto';
import type { App } from '../apps/app.js';
import { AppError } from '../errors/app-error.js';

/**
 * Checks an id and a secret against those of an app: its App ID and one of its certificates, ignoring the case of their hex
 * digits, or the pair that was set for clients of Easemob, exactly as written.
 * @throws AppError client_id_mismatch, client_secret_mismatch
 */
export function checkAppCredentials(app: App, id: string, secret: string): void {
  const pair = app.clientCredentials;
  if (pair !== null && id === pair.id) {
    if (!timingSafeEqual(digest(pair.secret), digest(secret))) throw new AppError('client_secret_mismatch');
    return;
  }
  if (id.toLowerCase() !== app.appId) throw new AppError('client_id_mismatch');
  if (!isCertificateOf(app, secret)) throw new AppError('client_secret_mismatch');
}

/** Whether this is one of the app's current certificates; takes the same time for every wrong one. */
export function isCertificateOf(app: App, certificate: string): boolean {
  const given = digest(certificate.toLowerCase());
  // Not `some`, which would stop at the first match, so the time would reveal which one matched.
  return app.certificates.filter((valid) => timingSafeEqual(digest(valid.toLowerCase()), given)).length > 0;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
