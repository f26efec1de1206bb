import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

export interface SealedAnswer {
  readonly status: number;
  /** JSON text. */
  readonly body: string;
}

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const maxBodyBytes = 4 * 1024 * 1024;

/**
 * An answer may contain a token, so it is stored under a key that only the caller knows; the database has no more than
 * a hash of it. Base64 of nonce, tag, and the compressed answer in AES-256-GCM.
 */
export function sealAnswer({ status, body }: SealedAnswer, idempotencyKey: string, appId: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, encryptionKey(idempotencyKey, appId), nonce);
  const sealed = Buffer.concat([cipher.update(deflateRawSync(`${status}${body}`)), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

/** @throws Error for what was not sealed with this key for this app */
export function openAnswer(text: string, idempotencyKey: string, appId: string): SealedAnswer {
  const bytes = Buffer.from(text, 'base64');
  const decipher = createDecipheriv(
    algorithm,
    encryptionKey(idempotencyKey, appId),
    bytes.subarray(0, nonceBytes),
  ).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  const opened = Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
  const answer = inflateRawSync(opened, { maxOutputLength: maxBodyBytes }).toString();
  return { status: Number(answer.slice(0, 3)), body: answer.slice(3) };
}

function encryptionKey(idempotencyKey: string, appId: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', idempotencyKey, appId, 'rollcall idempotent answer', 32));
}
