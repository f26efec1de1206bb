import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../errors/error-codes.js';
import { isDecodable } from './request-target.js';

/**
 * Limits for path and query, and for all headers together. Node reads twice as much, so that each gets its own refusal.
 */
export const maxTargetBytes = 8_192;
const maxHeaderBytes = 8_192;
export const maxHeadBytes = maxTargetBytes + maxHeaderBytes;
/** Far more than clients and proxies send. Node drops the 2,001st header. */
const maxHeaders = 200;

/** Why a target cannot lead anywhere, whatever routes there are; null if it may. */
export function faultOfTarget(target: string): ErrorCode | null {
  if (target.length > maxTargetBytes) return 'target_too_long';
  return isDecodable(target) ? null : 'request_malformed';
}

/** Why a request's headers are refused, whatever it asks for; null if they are fine. */
export function faultOfHead(request: IncomingMessage): ErrorCode | null {
  const { rawHeaders } = request;
  if (rawHeaders.length > 2 * maxHeaders) return 'head_too_large';
  let bytes = 0;
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    bytes += name.length + (rawHeaders[index + 1] as string).length;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (bytes > maxHeaderBytes) return 'head_too_large';
  return isDoubtful(request, hosts) ? 'request_malformed' : null;
}

/**
 * Whether Node's parser accepts these headers although RFC 9112 says to refuse them, because a server in front may have
 * understood a different host or a different end of the body: not exactly one Host, a `Transfer-Encoding` that is empty
 * or accompanies `Content-Length`, an HTTP version of the future or from before headers.
 */
function isDoubtful({ httpVersion, headers }: IncomingMessage, hosts: number): boolean {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return true;
  const encoding = headers['transfer-encoding'];
  if (encoding !== undefined && (encoding === '' || headers['content-length'] !== undefined)) return true;
  return hosts > 1 || (hosts === 0 && httpVersion === '1.1');
}

/** Whether the body is compressed or otherwise encoded. */
export function isEncoded({ headers }: IncomingMessage): boolean {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  return encoding !== '' && encoding !== 'identity';
}
