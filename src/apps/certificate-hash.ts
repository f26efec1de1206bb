import { createHash } from 'node:crypto';

/** What an app is found by when a call shows its certificate and names nothing else. Hex digits mean the same in any case. */
export function hashCertificate(certificate: string): string {
  return createHash('sha256').update(certificate.toLowerCase()).digest('base64url');
}
