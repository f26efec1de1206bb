import type { IncomingMessage } from 'node:http';

/** Far more than clients and proxies send. Node counts the bytes of names and values, and forgets the 2,001st header. */
const headersMost = 200;

/**
 * Whether a head is one that Node's parser lets pass and that RFC 9112 has refused, because the server in front may have
 * understood another host or another end of the body: not one Host, `Transfer-Encoding` that names nothing or stands
 * beside `Content-Length`, a version of the future or of before there were headers.
 */
export function isDoubtful({ httpVersion, headers, rawHeaders }: IncomingMessage): boolean {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return true;
  if (rawHeaders.length > 2 * headersMost) return true;
  const encoding = headers['transfer-encoding'];
  if (encoding !== undefined && (encoding === '' || headers['content-length'] !== undefined)) return true;
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.length === 4 && rawHeaders[index]?.toLowerCase() === 'host') hosts += 1;
  return hosts > 1 || (hosts === 0 && httpVersion === '1.1');
}
