import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { deflateRawSync, deflateSync, gzipSync, inflateSync } from 'node:zlib';
import { ChatTokenBuilder } from 'agora-token';
import fc from 'fast-check';
import { SystemClock } from '../clock/clock.js';
import { AppError } from '../errors/app-error.js';
import { type AccessToken2, isAccessToken2, verifyAccessToken2 } from './access-token2.js';

// What lies below the builders has no types and is not exported; the published test uses it in the same way.
const official = createRequire(import.meta.url)('agora-token/src/AccessToken2');

const appId = '970CA35de60c44645bbae8a215061b33';
const certificate = '5CFd2fd1755d40ecb72977518be15d3b';
const app = { appId: appId.toLowerCase(), certificates: [certificate] };
const uuid = '93b1ba30-fcf8-11ec-8049-25ea280f31b8';
const issuedAt = 1_111_111;
const now = issuedAt + 1;

/** Both Chat vectors of the builder's own test: issued at 1111111 for 600 s with salt 1. */
const vectors = {
  user: '007eJxTYNAIsnbS3v/A5t2TC6feR15r+6cq8bqAvfaW+tk/Vzz+p6xTYLA0N3B2NDZNSTUzSDYxMTMxTUpKTLVINDI0NTAzTDI2dv8iwBDBxMDAyADCrAyMDIxgPheDkYWFkbGJoZG5MQAfpR64',
  app: '007eJxTYNDNaz3snC8huEfHWdz6s98qltq4zqy9fl99Uh0FDvy6F6DAYGlu4OxobJqSamaQbGJiZmKalJSYapFoZGhqYGaYZGzs/kWAIYKJgYGRAYRZGRgZmMB8BgYArfIYaw==',
};

const u16 = (value: number) => Buffer.from([value & 0xff, (value >> 8) & 0xff]);
const u32 = (value: number) => Buffer.concat([u16(value & 0xffff), u16(value >>> 16)]);
const text = (value: string | Buffer) => Buffer.concat([u16(Buffer.byteLength(value)), Buffer.from(value as string)]);
const privileges = (map: Record<number, number>) =>
  Buffer.concat([
    u16(Object.keys(map).length),
    ...Object.entries(map).map(([key, life]) => Buffer.concat([u16(Number(key)), u32(life)])),
  ]);
const service = (type: number, map: Record<number, number>, ...tail: Buffer[]) =>
  Buffer.concat([u16(type), privileges(map), ...tail]);
const chat = (map: Record<number, number>, userId: string | Buffer = '') => service(5, map, text(userId));
const rtc = service(1, { 1: 600, 2: 600 }, text('channel'), text('7'));

interface Parts {
  appId: string;
  issuedAt: number;
  life: number;
  salt: number;
  services: Buffer[];
  count: number;
  after: Buffer;
  certificate: string;
  signature: (real: Buffer) => Buffer;
  deflate: (content: Buffer) => Buffer;
  encode: (deflated: Buffer) => string;
}

/** A valid token except for the parts that a test replaces. */
function craft(parts: Partial<Parts> = {}): string {
  const services = parts.services ?? [chat({ 2: 600 })];
  const issued = u32(parts.issuedAt ?? issuedAt);
  const salt = u32(parts.salt ?? 1);
  const info = Buffer.concat([
    text(parts.appId ?? appId),
    issued,
    u32(parts.life ?? 600),
    salt,
    u16(parts.count ?? services.length),
    ...services,
    parts.after ?? Buffer.alloc(0),
  ]);
  const hmac = (key: Buffer, message: string | Buffer) => createHmac('sha256', key).update(message).digest();
  const signature = hmac(hmac(salt, hmac(issued, parts.certificate ?? certificate)), info);
  const content = Buffer.concat([text(parts.signature?.(signature) ?? signature), info]);
  const deflated = (parts.deflate ?? deflateSync)(content);
  return `007${parts.encode?.(deflated) ?? deflated.toString('base64')}`;
}

function outcome(token: string, nowSeconds = now, ofApp = app): AccessToken2 | string {
  try {
    return verifyAccessToken2(token, ofApp, nowSeconds);
  } catch (error) {
    // Anything but an AppError is a bug, and fails the test here.
    if (!(error instanceof AppError)) throw error;
    return error.code;
  }
}

const appGrant = { kind: 'app', userId: '', issuedAtSeconds: issuedAt, expiresAtSeconds: issuedAt + 600, certificate };
const userGrant = { ...appGrant, kind: 'user', userId: uuid };

describe('a token of the official builder', () => {
  const wallSeconds = new SystemClock().nowSeconds();

  test('opens the door as an app', () => {
    const grant = outcome(ChatTokenBuilder.buildAppToken(appId, certificate, 600), wallSeconds + 1);
    expect(grant).toMatchObject({ kind: 'app', userId: '' });
  });

  test.each([uuid, 'alice'])('opens the door as the user %s', (userId) => {
    const grant = outcome(ChatTokenBuilder.buildUserToken(appId, certificate, userId, 600), wallSeconds + 1);
    expect(grant).toMatchObject({ kind: 'user', userId });
  });

  test('lives 24 hours at most, however much was asked for, and the sum never overflows', () => {
    const grant = outcome(
      ChatTokenBuilder.buildAppToken(appId, certificate, 0xffff_ffff),
      wallSeconds + 1,
    ) as AccessToken2;
    expect(grant.expiresAtSeconds).toBe(grant.issuedAtSeconds + 86_400);
  });

  test('both published vectors verify', () => {
    expect(outcome(vectors.app)).toEqual(appGrant);
    expect(outcome(vectors.user)).toEqual({ ...userGrant, userId: '2882341273' });
  });

  test('with several services opens the door, RTC, RTM and newer ones around Chat', () => {
    const token = new official.AccessToken2(appId, certificate, issuedAt, 600);
    for (const member of [
      new official.ServiceRtc('channel', 7),
      new official.ServiceRtm('alice'),
      new official.ServiceStreaming('channel', 7),
      new official.ServiceFCdn('channel', 7),
      new official.ServiceApaas('room', 'alice', 1),
      new official.ServiceRtm2('alice'),
      new official.ServiceConvoAI(),
    ])
      token.add_service(member);
    const member = new official.ServiceChat(uuid);
    member.add_privilege(official.ServiceChat.kPrivilegeUser, 600);
    token.add_service(member);
    expect(outcome(token.build())).toEqual(userGrant);
  });
});

describe('what a token grants', () => {
  test.each<[string, Partial<Parts>, unknown]>([
    ['the crafted base case is an app token', {}, appGrant],
    ['privilege 1 and a user id make a user token', { services: [chat({ 1: 600 }, uuid)] }, userGrant],
    ['both privileges and a user id make a user token', { services: [chat({ 1: 600, 2: 600 }, uuid)] }, userGrant],
    ['both privileges without a user id make an app token', { services: [chat({ 1: 600, 2: 600 })] }, appGrant],
    ['a user id with privilege 2 alone makes an app token', { services: [chat({ 2: 600 }, uuid)] }, appGrant],
    ['of two Chat services the user one counts', { services: [chat({ 2: 600 }), chat({ 1: 600 }, uuid)] }, userGrant],
    ['privilege 1 without a user id grants nothing', { services: [chat({ 1: 600 })] }, 'token_not_accepted'],
    ['an unknown privilege grants nothing', { services: [chat({ 3: 600 }, uuid)] }, 'token_not_accepted'],
    ['no privilege grants nothing', { services: [chat({})] }, 'token_not_accepted'],
    ['no Chat service grants nothing', { services: [rtc] }, 'token_not_accepted'],
    ['no service at all grants nothing', { services: [] }, 'token_not_accepted'],
    ['RTC before Chat is read over', { services: [rtc, chat({ 2: 600 })] }, appGrant],
    ['a service type that nobody knows ends the reading', { services: [chat({ 2: 600 }), u16(99)] }, appGrant],
    [
      'Chat behind an unknown service type does not count',
      { services: [u16(99), chat({ 2: 600 })] },
      'token_not_accepted',
    ],
    ['the App ID is the same in any case', { appId: appId.toUpperCase() }, appGrant],
  ])('%s', (_, parts, expected) => expect(outcome(craft(parts))).toEqual(expected));

  test('during a rotation both certificates count, and say which', () => {
    const rotating = { ...app, certificates: ['f'.repeat(32), certificate] };
    expect(outcome(craft(), now, rotating)).toMatchObject({ certificate });
    expect(outcome(craft({ certificate: 'f'.repeat(32) }), now, rotating)).toMatchObject({
      certificate: 'f'.repeat(32),
    });
  });
});

describe('time', () => {
  const user = (life: number) => ({ services: [chat({ 1: life }, uuid)] });

  test.each<[string, Partial<Parts>, number, unknown]>([
    ['a token is good in its last second', {}, issuedAt + 599, appGrant],
    ['a token is over in the second of its end', {}, issuedAt + 600, 'token_expired'],
    ['a life of 0 is over', { life: 0 }, issuedAt, 'token_expired'],
    ['a life of 0 is over also ahead of our clock', { life: 0 }, issuedAt - 30, 'token_expired'],
    ['a privilege of life 0 is over', { services: [chat({ 2: 0 })] }, issuedAt - 30, 'token_expired'],
    ['a shorter privilege ends the token', user(60), issuedAt + 60, 'token_expired'],
    ['a shorter privilege is the end that is told', user(60), now, { ...userGrant, expiresAtSeconds: issuedAt + 60 }],
    ['a longer privilege does not lengthen the token', user(6000), now, userGrant],
    ['a clock 60 s ahead of ours is borne', {}, issuedAt - 60, appGrant],
    ['a clock 61 s ahead of ours is not', {}, issuedAt - 61, 'token_not_accepted'],
    ['24 hours are the most', { life: 864_000, services: [chat({ 2: 864_000 })] }, issuedAt + 86_400, 'token_expired'],
    [
      'times near the end of 32 bits do not wrap',
      { issuedAt: 0xffff_ffff, life: 0xffff_ffff },
      now,
      'token_not_accepted',
    ],
    [
      'a sum beyond 32 bits does not wrap',
      { issuedAt: 0xffff_fff0 },
      0xffff_fff0 + 599,
      expect.objectContaining({ expiresAtSeconds: 0xffff_fff0 + 600 }),
    ],
  ])('%s', (_, parts, at, expected) => expect(outcome(craft(parts), at)).toEqual(expected));
});

describe('a token that was not made for the app by its owner is refused', () => {
  const bomb = deflateSync(Buffer.alloc(1_500_000));
  const hmacOf = (key: string) => createHmac('sha256', key).update('').digest();
  const signatureOf = (token: string) => inflateSync(Buffer.from(token.slice(3), 'base64')).subarray(2, 34);
  const valid = craft();
  const body = valid.slice(3);

  test.each<[string, string, string]>([
    ['another App ID', craft({ appId: 'a'.repeat(32) }), 'token_not_accepted'],
    [
      'another App ID, rightly signed by its own certificate',
      craft({ appId: 'a'.repeat(32), certificate: 'b'.repeat(32) }),
      'token_not_accepted',
    ],
    ['a longer App ID', craft({ appId: `${appId}0` }), 'token_not_accepted'],
    ['an empty App ID', craft({ appId: '' }), 'token_not_accepted'],
    ['another certificate', craft({ certificate: 'b'.repeat(32) }), 'token_malformed'],
    ['the certificate in another case', craft({ certificate: certificate.toLowerCase() }), 'token_malformed'],
    ['an empty certificate', craft({ certificate: '' }), 'token_malformed'],
    ['salt 0', craft({ salt: 0 }), 'token_malformed'],
    ['no signature', craft({ signature: () => Buffer.alloc(0) }), 'token_malformed'],
    ['a signature of zeros', craft({ signature: () => Buffer.alloc(32) }), 'token_malformed'],
    ['a cut signature', craft({ signature: (real) => real.subarray(0, 31) }), 'token_malformed'],
    ['a lengthened signature', craft({ signature: (real) => Buffer.concat([real, u16(0)]) }), 'token_malformed'],
    ['a signature in hex', craft({ signature: (real) => Buffer.from(real.toString('hex')) }), 'token_malformed'],
    ['a byte after the last service', craft({ after: Buffer.from([0]) }), 'token_malformed'],
    ['a service more than counted', craft({ after: rtc }), 'token_malformed'],
    ['a service less than counted', craft({ count: 2 }), 'token_malformed'],
    ['65535 services counted', craft({ count: 65_535 }), 'token_malformed'],
    ['65535 privileges counted', craft({ services: [Buffer.concat([u16(5), u16(65_535)])] }), 'token_malformed'],
    ['a user id longer than the token', craft({ services: [service(5, { 1: 600 }, u16(65_535))] }), 'token_malformed'],
    [
      'a user id that is not UTF-8',
      craft({ services: [chat({ 1: 600 }, Buffer.from([0xff, 0xfe]))] }),
      'token_malformed',
    ],
    [
      'a service cut in its privileges',
      craft({ services: [Buffer.concat([u16(5), u16(1), u16(2)])] }),
      'token_malformed',
    ],
    ['nothing', '', 'token_malformed'],
    ['the version alone', '007', 'token_malformed'],
    ['version 006', `006${body}`, 'token_malformed'],
    ['version 008', `008${body}`, 'token_malformed'],
    ['no version', body, 'token_malformed'],
    ['a blank before', ` ${valid}`, 'token_malformed'],
    ['a blank behind', `${valid} `, 'token_malformed'],
    ['a line end behind', `${valid}\n`, 'token_malformed'],
    ['a blank inside', `${valid.slice(0, 50)} ${valid.slice(50)}`, 'token_malformed'],
    ['base64url', craft({ encode: (bytes) => bytes.toString('base64url') }), 'token_malformed'],
    ['more padding', `${valid}=`, 'token_malformed'],
    ['hex', craft({ encode: (bytes) => bytes.toString('hex') }), 'token_malformed'],
    ['a NUL inside', `${valid.slice(0, 50)}\0${valid.slice(50)}`, 'token_malformed'],
    ['characters beyond ASCII', `007${'é'.repeat(100)}`, 'token_malformed'],
    ['content that is not compressed', craft({ deflate: (content) => content }), 'token_malformed'],
    ['raw deflate', craft({ deflate: (content) => deflateRawSync(content) }), 'token_malformed'],
    ['gzip', craft({ deflate: (content) => gzipSync(content) }), 'token_malformed'],
    [
      'a preset dictionary',
      craft({ deflate: (content) => deflateSync(content, { dictionary: Buffer.from(appId) }) }),
      'token_malformed',
    ],
    [
      'data behind the compressed content',
      craft({ deflate: (content) => Buffer.concat([deflateSync(content), Buffer.from('x')]) }),
      'token_malformed',
    ],
    [
      'the compressed content twice',
      craft({ deflate: (content) => Buffer.concat([deflateSync(content), deflateSync(content)]) }),
      'token_malformed',
    ],
    [
      'a wrong checksum',
      craft({
        deflate: (content) => {
          const all = deflateSync(content);
          all[all.length - 1]! ^= 1;
          return all;
        },
      }),
      'token_malformed',
    ],
    ['compressed nothing', craft({ deflate: () => deflateSync(Buffer.alloc(0)) }), 'token_malformed'],
    ['a bomb', craft({ deflate: () => bomb }), 'token_malformed'],
    ['more than 8192 bytes inside', craft({ services: [chat({ 1: 600 }, 'a'.repeat(8192))] }), 'token_malformed'],
    ['more than 4096 characters', `007${'A'.repeat(4096)}`, 'token_malformed'],
    ['a JWT', 'eyJhbGciOiJub25lIn0.e30.', 'token_malformed'],
    ['the version twice', `007${valid}`, 'token_malformed'],
    ['a BOM before', `\ufeff${valid}`, 'token_malformed'],
    ['full-width digits for the version', `００７${body}`, 'token_malformed'],
    ['the version escaped', `%30%30%37${body}`, 'token_malformed'],
    ['Bearer before', `Bearer ${valid}`, 'token_malformed'],
    [
      'less padding',
      craft({ encode: (bytes) => bytes.toString('base64').replace(/=+$/, '') + '~' }),
      'token_malformed',
    ],
    ['lines of base64', body.replace(/.{64}/g, '$&\n').replace(/^/, '007'), 'token_malformed'],
    ['the letters in another case', `007${body.toLowerCase()}`, 'token_malformed'],
    ['the App ID inside in other hex', craft({ appId: appId.replace('5', '６') }), 'token_not_accepted'],
    ['the App ID with a NUL behind', craft({ appId: `${appId}\0` }), 'token_not_accepted'],
    ['the App ID with a blank before', craft({ appId: ` ${appId}` }), 'token_not_accepted'],
    ['the first half of the App ID', craft({ appId: appId.slice(0, 16) }), 'token_not_accepted'],
    ['the certificate as the App ID', craft({ appId: certificate }), 'token_not_accepted'],
    ['the App ID as the certificate', craft({ certificate: appId }), 'token_malformed'],
    ['the certificate twice', craft({ certificate: certificate.repeat(2) }), 'token_malformed'],
    [
      'a signature of the content without its App ID',
      craft({ signature: () => hmacOf(certificate) }),
      'token_malformed',
    ],
    ['a signature of another token', craft({ signature: () => signatureOf(vectors.user) }), 'token_malformed'],
    ['a signature twice', craft({ signature: (real) => Buffer.concat([real, real]) }), 'token_malformed'],
    ['a signature turned round', craft({ signature: (real) => Buffer.from(real).reverse() }), 'token_malformed'],
    ['no service, though one is counted', craft({ services: [], count: 1 }), 'token_malformed'],
    ['a service cut in its type', craft({ services: [Buffer.from([5])] }), 'token_malformed'],
    [
      'a service cut in its user id',
      craft({ services: [service(5, { 1: 600 }, u16(5), Buffer.from('abc'))] }),
      'token_malformed',
    ],
    [
      'privileges of RTC for Chat',
      craft({ services: [service(1, { 1: 600, 2: 600 }, text('c'), text(uuid))] }),
      'token_not_accepted',
    ],
    ['privilege 0', craft({ services: [chat({ 0: 600 }, uuid)] }), 'token_not_accepted'],
    [
      'privilege 257, which is 1 in its low byte',
      craft({ services: [chat({ 257: 600 }, uuid)] }),
      'token_not_accepted',
    ],
    [
      'a service of type 261, which is 5 in its low byte',
      craft({ services: [service(261, { 2: 600 }, text(''))] }),
      'token_not_accepted',
    ],
    [
      'a user id of an overlong UTF-8',
      craft({ services: [chat({ 1: 600 }, Buffer.from([0xc0, 0xaf]))] }),
      'token_malformed',
    ],
    [
      'a user id that is half a surrogate',
      craft({ services: [chat({ 1: 600 }, Buffer.from([0xed, 0xa0, 0x80]))] }),
      'token_malformed',
    ],
    ['issued in milliseconds', craft({ issuedAt: 1_700_000_000 }), 'token_not_accepted'],
    ['issued long ago for the longest life', craft({ issuedAt: 0, life: 0xffff_ffff }), 'token_expired'],
    ['a life that is over', craft({ issuedAt: issuedAt - 601 }), 'token_expired'],
    ['a privilege that is over', craft({ issuedAt: issuedAt - 10, services: [chat({ 2: 5 })] }), 'token_expired'],
  ])('%s', (_, token, code) => expect(outcome(token)).toBe(code));

  test('a bomb costs no more than a few milliseconds', () => {
    const token = craft({ deflate: () => bomb });
    expect(token.length).toBeLessThan(4096);
    expect(quickestMs(token)).toBeLessThan(5);
  });

  test('counts that lie cost no more than a few milliseconds', () => {
    const token = craft({
      count: 65_535,
      services: [service(5, {}, u16(0)), Buffer.alloc(7000, Buffer.from([4, 0, 0, 0]))],
    });
    expect(outcome(token)).toBe('token_malformed');
    expect(quickestMs(token)).toBeLessThan(5);
  });

  /** The best of many rounds, as the others measure how busy the machine is. */
  function quickestMs(token: string): number {
    const rounds = Array.from({ length: 20 }, () => {
      const start = performance.now();
      outcome(token);
      return performance.now() - start;
    });
    return Math.min(...rounds);
  }
});

describe('a token that was changed is refused', () => {
  const tokens = [vectors.app, craft({ services: [chat({ 1: 600 }, uuid)] })];

  test.each(tokens)('every truncation of %s', (token) => {
    for (let length = 0; length < token.length; length++)
      expect(outcome(token.slice(0, length))).toBe('token_malformed');
  });

  test.each(tokens)('every single bit of the text of %s', (token) => {
    const bytes = Buffer.from(token);
    for (let bit = 0; bit < bytes.length * 8; bit++)
      expect(typeof outcome(flip(bytes, bit).toString('latin1'))).toBe('string');
  });

  test.each(tokens)('every single bit of the compressed bytes of %s', (token) => {
    const bytes = Buffer.from(token.slice(3), 'base64');
    for (let bit = 0; bit < bytes.length * 8; bit++)
      expect(typeof outcome(`007${flip(bytes, bit).toString('base64')}`)).toBe('string');
  });

  test.each(tokens)('every single bit of the content of %s', (token) => {
    const bytes = inflateSync(Buffer.from(token.slice(3), 'base64'));
    for (let bit = 0; bit < bytes.length * 8; bit++)
      expect(typeof outcome(`007${deflateSync(flip(bytes, bit)).toString('base64')}`)).toBe('string');
  });

  function flip(bytes: Buffer, bit: number): Buffer {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    return flipped;
  }
});

describe('properties', () => {
  test('what any builder token says is what is read', () => {
    fc.assert(
      fc.property(
        fc.record({
          userId: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 64 }),
          life: fc.integer({ min: 2, max: 86_400 }),
          salt: fc.integer({ min: 1, max: 99_999_999 }),
          level: fc.integer({ min: 0, max: 9 }),
        }),
        ({ userId, life, salt, level }) => {
          const services = [rtc, chat({ 1: life }, userId)];
          const token = craft({ services, life, salt, deflate: (content) => deflateSync(content, { level }) });
          expect(outcome(token)).toEqual({ ...userGrant, userId, expiresAtSeconds: issuedAt + life });
        },
      ),
    );
  });

  test('random text is never accepted and never throws anything but an AppError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.base64String()), (random) => {
        expect(typeof outcome(random)).toBe('string');
        expect(typeof outcome(`007${random}`)).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });

  test('random content, well compressed and rightly signed or not, never throws anything but an AppError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (random) => {
        const bytes = Buffer.from(random);
        expect(typeof outcome(`007${deflateSync(bytes).toString('base64')}`)).toBe('string');
        outcome(craft({ services: [bytes], count: 1 }));
      }),
      { numRuns: 1000 },
    );
  });
});

test('isAccessToken2 tells by the version', () => {
  expect(isAccessToken2(vectors.app)).toBe(true);
  expect(isAccessToken2('eyJhbGciOiJIUzI1NiJ9.e30.AA')).toBe(false);
});
