import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../errors/error-codes.js';
import { isDecodable } from './request-target.js';

/** Of path and query, and of all headers together. Node reads twice as much, so that either is refused for what it is. */
export const maxTargetBytes = 8_192;
const maxHeaderBytes = 8_192;
export const maxHeadBytes = maxTargetBytes + maxHeaderBytes;
/** Far more than clients and proxies send. Node forgets the 2,001st header. */
const maxHeaders = 200;

/** Why a target leads nowhere, whatever routes there are; null: it may lead somewhere. */
export function faultOfTarget(target: string): ErrorCode | null {
  if (target.length > maxTargetBytes) return 'target_too_long';
  return isDecodable(target) ? null : 'request_malformed';
}

/** Why a head is refused, whatever it asks for; null: it is a good one. */
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
 * Whether a head is one that Node's parser lets pass and that RFC 9112 has refused, because the server in front may have
 * understood another host or another end of the body: not one Host, `Transfer-Encoding` that names nothing or stands
 * beside `Content-Length`, a version of the future or of before there were headers.
 */
function isDoubtful({ httpVersion, headers }: IncomingMessage, hosts: number): boolean {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return true;
  const encoding = headers['transfer-encoding'];
  if (encoding !== undefined && (encoding === '' || headers['content-length'] !== undefined)) return true;
  return hosts > 1 || (hosts === 0 && httpVersion === '1.1');
}

/** Whether the body is other bytes than those it stands for. */
export function isEncoded({ headers }: IncomingMessage): boolean {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  return encoding !== '' && encoding !== 'identity';
}
