import { createHash } from 'node:crypto';

/**
 * By which an app is found if a call presents its certificate and nothing else. The case of hex digits does not matter.
 */
export function hashCertificate(certificate: string): string {
  return createHash('sha256').update(certificate.toLowerCase()).digest('base64url');
}
