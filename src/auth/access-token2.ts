import { createHmac, timingSafeEqual } from 'node:crypto';
import { inflateSync, type Inflate } from 'node:zlib';
import type { App } from '../apps/app.js';
import { AppError } from '../errors/app-error.js';

/** The contents of an accepted AccessToken2 ("007" token). Times are Unix seconds. */
export interface AccessToken2 {
  readonly kind: 'app' | 'user';
  /** The uuid or the name of the user, as in the token; '' for an app token. */
  readonly userId: string;
  readonly issuedAtSeconds: number;
  /** The first second in which the token is no longer valid. */
  readonly expiresAtSeconds: number;
  /** The certificate of the app that signed it. */
  readonly certificate: string;
}

const version = '007';
const maxLength = 4096;
const maxContentBytes = 8192;
const signatureBytes = 32;
/**
 * "Maximum validity 24 hours": a longer lifetime is shortened, not refused, since builders in the field ask for years.
 */
const maxLifeSeconds = 86_400;
const clockSkewSeconds = 60;

const chatService = 5;
const apaasService = 7;
const userPrivilege = 1;
const appPrivilege = 2;
/**
 * How many strings follow the privileges of a service, by its type (1 RTC, 2 RTM, 3 streaming, 4 FPA, 5 Chat, 6 FCDN, 7
 * APaaS). Services carry no length, so those before Chat must be parsed to find it. They are sorted by type, so newer
 * types come after Chat and need not be known.
 */
const stringsOfService: ReadonlyMap<number, number> = new Map([
  [1, 2],
  [2, 1],
  [3, 2],
  [4, 0],
  [chatService, 1],
  [6, 2],
  [apaasService, 2],
]);

interface ChatService {
  readonly userId: string;
  /** Each privilege's lifetime in seconds, counted from the issue of the token. */
  readonly privileges: ReadonlyMap<number, number>;
}

/**
 * Goes by the first characters, and does not promise that the token is readable. Rollcall's own tokens never start like
 * that.
 */
export function isAccessToken2(token: string): boolean {
  return token.startsWith(version);
}

/**
 * Parses and verifies a token of Agora's AccessToken2 builders for one app. Source: npm agora-token 2.0.6,
 * `src/AccessToken2.js`; unlike that code, this bounds every length before trusting it, and enforces times and
 * privileges.
 *
 * A Chat service with privilege 1 and a user id makes a user token, even if it has privilege 2 too: a token that names
 * a user is meant to be handed to a device, so it must not open what belongs to the app's server.
 * @throws AppError token_malformed (unreadable, or not signed with a certificate of the app), token_expired,
 *   token_not_accepted (another app's, from the future, no Chat service, or no suitable privilege)
 */
export function verifyAccessToken2(
  token: string,
  app: Pick<App, 'appId' | 'certificates'>,
  nowSeconds: number,
): AccessToken2 {
  const reader = new BoundedReader(inflate(token));
  const signature = reader.bytes();
  const signed = reader.rest();
  const appId = reader.bytes().toString('latin1');
  if (appId.toLowerCase() !== app.appId.toLowerCase()) throw new AppError('token_not_accepted');
  const issuedAtSeconds = reader.uint32();
  const lifeSeconds = reader.uint32();
  const salt = reader.uint32();
  if (salt === 0 || signature.length !== signatureBytes) throw new AppError('token_malformed');
  const certificate = app.certificates.find((candidate) =>
    timingSafeEqual(signature, sign(signed, issuedAtSeconds, salt, candidate)),
  );
  if (certificate === undefined) throw new AppError('token_malformed');

  const { kind, userId, privilegeLifeSeconds } = grantOf(readChatServices(reader));
  if (issuedAtSeconds > nowSeconds + clockSkewSeconds) throw new AppError('token_not_accepted');
  const life = Math.min(lifeSeconds, privilegeLifeSeconds, maxLifeSeconds);
  const expiresAtSeconds = issuedAtSeconds + life;
  // A lifetime of 0 has expired at once, even if the issuer's clock is ahead of this one.
  if (life === 0 || expiresAtSeconds <= nowSeconds) throw new AppError('token_expired');
  return { kind, userId, issuedAtSeconds, expiresAtSeconds, certificate };
}

function inflate(token: string): Buffer {
  if (token.length > maxLength || !isAccessToken2(token)) throw new AppError('token_malformed');
  const text = token.slice(version.length);
  const deflated = Buffer.from(text, 'base64');
  // Buffer skips invalid characters; only text that survives the round trip is valid base64.
  if (deflated.toString('base64') !== text) throw new AppError('token_malformed');
  if (hasSpareBits(deflated)) throw new AppError('token_malformed');
  try {
    // `info` is missing from the types of inflateSync; the engine knows how much of the input it consumed.
    const options = { maxOutputLength: maxContentBytes, info: true };
    const { buffer, engine } = inflateSync(deflated, options) as unknown as { buffer: Buffer; engine: Inflate };
    if (engine.bytesWritten === deflated.length) return buffer;
  } catch (cause) {
    throw new AppError('token_malformed', { cause });
  }
  throw new AppError('token_malformed');
}

/**
 * Deflate pads its last byte with unused bits, so a token with one of them changed would still be valid. A block of
 * fixed codes (which is what zlib makes of a Chat token) ends in seven 0 bits, so with padding of 0 the upper seven
 * bits of the last byte before the checksum are 0. Other kinds of block are not checked: no text of a token serves as
 * an identity here, so a second encoding of the same signed bytes gains nothing.
 */
function hasSpareBits(deflated: Buffer): boolean {
  const oneFixedBlock = ((deflated[2] ?? 0) & 7) === 3;
  return oneFixedBlock && (deflated[deflated.length - 5] ?? 0) > 1;
}

function sign(signed: Buffer, issuedAtSeconds: number, salt: number, certificate: string): Buffer {
  const issueKey = createHmac('sha256', littleEndian(issuedAtSeconds)).update(certificate).digest();
  const saltKey = createHmac('sha256', littleEndian(salt)).update(issueKey).digest();
  return createHmac('sha256', saltKey).update(signed).digest();
}

function littleEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function readChatServices(reader: BoundedReader): ChatService[] {
  const services: ChatService[] = [];
  for (let left = reader.uint16(); left > 0; left--) {
    const type = reader.uint16();
    const strings = stringsOfService.get(type);
    if (strings === undefined) return services;
    const privileges = new Map<number, number>();
    for (let count = reader.uint16(); count > 0; count--) privileges.set(reader.uint16(), reader.uint32());
    const texts = Array.from({ length: strings }, () => reader.bytes());
    if (type === apaasService) reader.uint16();
    if (type === chatService) services.push({ userId: texts.map(utf8).join(), privileges });
  }
  if (reader.rest().length > 0) throw new AppError('token_malformed');
  return services;
}

function grantOf(services: readonly ChatService[]): Pick<AccessToken2, 'kind' | 'userId'> & {
  privilegeLifeSeconds: number;
} {
  for (const { userId, privileges } of services) {
    const privilegeLifeSeconds = privileges.get(userPrivilege);
    if (userId !== '' && privilegeLifeSeconds !== undefined) return { kind: 'user', userId, privilegeLifeSeconds };
  }
  for (const { privileges } of services) {
    const privilegeLifeSeconds = privileges.get(appPrivilege);
    if (privilegeLifeSeconds !== undefined) return { kind: 'app', userId: '', privilegeLifeSeconds };
  }
  throw new AppError('token_not_accepted');
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new AppError('token_malformed', { cause });
  }
}

/** Reads little-endian numbers and length-prefixed bytes, never past the end. */
class BoundedReader {
  #position = 0;

  constructor(private readonly content: Buffer) {}

  uint16(): number {
    return this.#take(2).readUInt16LE();
  }

  uint32(): number {
    return this.#take(4).readUInt32LE();
  }

  bytes(): Buffer {
    return this.#take(this.uint16());
  }

  rest(): Buffer {
    return this.content.subarray(this.#position);
  }

  #take(length: number): Buffer {
    const end = this.#position + length;
    if (end > this.content.length) throw new AppError('token_malformed');
    const taken = this.content.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }
}
