import { createHash, timingSafeEqual } from 'node:crypto';
import type { App } from '../apps/app.js';
import { AppError } from '../errors/app-error.js';

/**
 * Checks an App ID and an App certificate, in any case of their hex digits, against those of an app.
 * @throws AppError client_id_mismatch, client_secret_mismatch
 */
export function checkAppCredentials(app: App, appId: string, certificate: string): void {
  if (appId.toLowerCase() !== app.appId) throw new AppError('client_id_mismatch');
  if (!isCertificateOf(app, certificate)) throw new AppError('client_secret_mismatch');
}

/** Whether this is one of the app's certificates that are valid now; takes as long for every wrong one. */
export function isCertificateOf(app: App, certificate: string): boolean {
  const given = digest(certificate);
  // Not `some`: it would stop at the first, and the time would tell which one matched.
  return app.certificates.filter((valid) => timingSafeEqual(digest(valid), given)).length > 0;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text.toLowerCase()).digest();
}
