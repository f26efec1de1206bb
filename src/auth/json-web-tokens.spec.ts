import { createHmac, createSecretKey, generateKeyPairSync, type KeyObject, sign as signAsymmetric } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import fc from 'fast-check';
import { AppError } from '../errors/app-error.js';
import { type AppClaims, type Claims, JsonWebTokens, jwtOptions, type UserClaims } from './json-web-tokens.js';
import { deriveSigningKey } from './signing-key.js';

const tokens = new JsonWebTokens(new JwtService(jwtOptions));
const appId = '0b7f6a58-1111-4222-8333-444455556666';
const certificate = 'a'.repeat(32);
const key = deriveSigningKey(appId, certificate);
const oldKey = deriveSigningKey(appId, 'b'.repeat(32));
const otherAppKey = deriveSigningKey('another-app', certificate);
const now = 1_767_225_600;

const common = { iss: 'rollcall', aud: appId, jti: 'AAAAAAAAAAAAAAAA', iat: now, exp: now + 600 } as const;
const appClaims: AppClaims = { ...common, use: 'app' };
const userClaims: UserClaims = { ...common, use: 'user', sub: '93b1ba30-fcf8-11ec-8049-25ea280f31b8', epoch: 0 };
const goodHeader = { alg: 'HS256', typ: 'JWT', kid: key.kid };

const encode = (part: unknown) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** A token with any header and payload (objects, or the text itself), signed according to HS256. */
function forge(header: unknown, payload: unknown, secret: KeyObject = key.secret, hash = 'sha256'): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

const withHeader = (changes: object) => forge({ ...goodHeader, ...changes }, appClaims);
const withClaims = (changes: object, claims: Claims = appClaims) => forge(goodHeader, { ...claims, ...changes });
const without = (member: string, claims: Claims = appClaims) => withClaims({ [member]: undefined }, claims);
const withPayloadText = (edit: (text: string) => string) => forge(goodHeader, edit(JSON.stringify(appClaims)));
const withHeaderText = (edit: (text: string) => string) => forge(edit(JSON.stringify(goodHeader)), appClaims);

function outcome(token: string, at = now, keys = [key]): Claims | string {
  try {
    return tokens.verify(token, appId, keys, at).claims;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.code;
  }
}

const valid = tokens.sign(appClaims, key);
const [validHeader, validPayload, validSignature] = valid.split('.') as [string, string, string];
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

function forgeRs256(): string {
  const signed = `${encode({ ...goodHeader, alg: 'RS256' })}.${encode(appClaims)}`;
  return `${signed}.${signAsymmetric('sha256', Buffer.from(signed), rsa.privateKey).toString('base64url')}`;
}

/** The same bytes as `part`, with the unused bits of its last character set. */
function nonCanonical(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return part.slice(0, -1) + alphabet[alphabet.indexOf(part.at(-1) as string) + 1];
}

describe('a token of Rollcall', () => {
  test.each<[string, Claims]>([
    ['app', appClaims],
    ['user', userClaims],
  ])('for an %s comes back as it was signed, with the key', (_, claims) => {
    const token = tokens.sign(claims, key);
    expect(tokens.verify(token, appId, [oldKey, key], now)).toEqual({ claims, key });
    expect(token).toBe(forge(goodHeader, claims));
  });

  test('is valid in its last second and has expired in the next', () => {
    expect(outcome(valid, now + 599)).toEqual(appClaims);
    expect(outcome(valid, now + 600)).toBe('token_expired');
  });

  test('may come from a clock up to 60 s ahead', () => {
    expect(outcome(valid, now - 60)).toEqual(appClaims);
    expect(outcome(valid, now - 61)).toBe('token_not_accepted');
  });

  test('may live 2147483647 s', () => {
    const claims = { ...appClaims, exp: now + 2_147_483_647 };
    expect(outcome(tokens.sign(claims, key), now + 2_147_483_646)).toEqual(claims);
  });

  test('ends when its certificate goes', () => {
    expect(outcome(tokens.sign(appClaims, oldKey), now, [key, oldKey])).toEqual(appClaims);
    expect(outcome(tokens.sign(appClaims, oldKey), now, [key])).toBe('token_not_accepted');
  });
});

const attacks: [string, string, string?][] = [
  ['alg none without a signature', `${encode({ ...goodHeader, alg: 'none' })}.${validPayload}.`],
  ['alg none with two parts', `${encode({ ...goodHeader, alg: 'none' })}.${validPayload}`],
  ['alg none with the good signature', `${encode({ ...goodHeader, alg: 'none' })}.${validPayload}.${validSignature}`],
  ['alg None', withHeader({ alg: 'None' })],
  ['alg NONE', withHeader({ alg: 'NONE' })],
  ['alg hs256 in lower case', withHeader({ alg: 'hs256' })],
  ['alg HS384', forge({ ...goodHeader, alg: 'HS384' }, appClaims, key.secret, 'sha384')],
  ['alg HS512', forge({ ...goodHeader, alg: 'HS512' }, appClaims, key.secret, 'sha512')],
  ['alg HS256 with the signature of HS512', forge(goodHeader, appClaims, key.secret, 'sha512')],
  ['alg RS256 by a key of the attacker', forgeRs256()],
  ['alg ES256', withHeader({ alg: 'ES256' })],
  ['alg PS256', withHeader({ alg: 'PS256' })],
  ['alg EdDSA', withHeader({ alg: 'EdDSA' })],
  ['alg as a number', withHeader({ alg: 256 })],
  ['alg as a list', withHeader({ alg: ['HS256'] })],
  ['alg missing', withHeader({ alg: undefined })],
  ['alg given twice', withHeaderText((text) => text.replace('{', '{"alg":"none",'))],
  ['alg escaped', withHeaderText((text) => text.replace('HS256', 'HS25\\u0036'))],
  ['typ missing', withHeader({ typ: undefined })],
  ['typ refresh+jwt', withHeader({ typ: 'refresh+jwt' })],
  ['typ jwt in lower case', withHeader({ typ: 'jwt' })],
  ['typ given twice', withHeaderText((text) => text.replace('}', ',"typ":"JWT"}'))],
  ['kid missing', withHeader({ kid: undefined })],
  ['kid of a key that is not there', withHeader({ kid: '0'.repeat(16) }), 'token_not_accepted'],
  ['kid in upper case', withHeader({ kid: 'ABCDEFABCDEFABCD' })],
  ['kid as a path', withHeader({ kid: '../../../../dev/null' })],
  ['kid as SQL', withHeader({ kid: "' OR '1'='1" })],
  ['kid empty', withHeader({ kid: '' })],
  ['kid as a number', withHeader({ kid: 0 })],
  ['kid as an object', withHeader({ kid: { $ne: null } })],
  ['kid with a line end', withHeader({ kid: `${key.kid}\n` })],
  ['kid __proto__', withHeader({ kid: '__proto__' })],
  ['kid given twice', withHeaderText((text) => text.replace('}', `,"kid":"${key.kid}"}`))],
  ['kid of another key of the app', forge({ ...goodHeader, kid: oldKey.kid }, appClaims), 'token_not_accepted'],
  ['jku', withHeader({ jku: 'https://attacker.example/keys' })],
  ['jwk', withHeader({ jwk: { kty: 'oct', k: 'AA' } })],
  ['x5u', withHeader({ x5u: 'https://attacker.example/cert' })],
  ['x5c', withHeader({ x5c: ['AA'] })],
  ['crit', withHeader({ crit: ['exp'], exp: 1 })],
  ['crit empty', withHeader({ crit: [] })],
  ['b64 false', withHeader({ b64: false, crit: ['b64'] })],
  ['cty JWT', withHeader({ cty: 'JWT' })],
  ['zip', withHeader({ zip: 'DEF' })],
  ['a member of the header that nobody knows', withHeader({ x: 1 })],
  ['members of the header in another order', forge({ typ: 'JWT', alg: 'HS256', kid: key.kid }, appClaims)],
  ['blanks in the header', withHeaderText((text) => text.replace(',', ', '))],
  ['a header that is a list', forge([goodHeader], appClaims)],
  ['a header that is not JSON', forge('HS256', appClaims)],
  ['a byte order mark before the header', withHeaderText((text) => `\ufeff${text}`)],
  ['exp missing', without('exp')],
  ['exp null', withClaims({ exp: null })],
  ['exp as text', withClaims({ exp: String(now + 600) })],
  ['exp with a fraction', withClaims({ exp: now + 600.5 })],
  ['exp 1e400', withPayloadText((text) => text.replace(`"exp":${now + 600}`, '"exp":1e400'))],
  ['exp 1e12', withPayloadText((text) => text.replace(`"exp":${now + 600}`, '"exp":1e12'))],
  ['exp in milliseconds', withClaims({ exp: (now + 600) * 1000 })],
  ['exp beyond the safe integers', withClaims({ exp: 2 ** 53 })],
  ['exp a second beyond the longest life', withClaims({ exp: now + 2_147_483_648 })],
  ['exp at iat', withClaims({ exp: now })],
  ['exp before iat', withClaims({ exp: now - 1 })],
  ['exp negative', withClaims({ exp: -1 })],
  ['exp past', withClaims({ iat: now - 600, exp: now - 1 }), 'token_expired'],
  ['exp now', withClaims({ iat: now - 600, exp: now }), 'token_expired'],
  ['exp given twice', withPayloadText((text) => text.replace('{', `{"exp":${now + 9999},`))],
  ['exp given twice, once escaped', withPayloadText((text) => text.replace('{', `{"e\\u0078p":${now + 9999},`))],
  ['iat missing', without('iat')],
  ['iat as text', withClaims({ iat: String(now) })],
  ['iat with a fraction', withClaims({ iat: now - 0.5 })],
  ['iat in milliseconds', withClaims({ iat: now * 1000 })],
  ['iat in the future', withClaims({ iat: now + 61 }), 'token_not_accepted'],
  ['iat negative', withClaims({ iat: -1, exp: 600 })],
  ['nbf, which we never write', withClaims({ nbf: now + 300 })],
  ['aud missing', without('aud')],
  ['aud of another app', withClaims({ aud: 'another-app' }), 'token_not_accepted'],
  ['aud as a list', withClaims({ aud: [appId] })],
  ['aud in upper case', withClaims({ aud: appId.toUpperCase() }), 'token_not_accepted'],
  ['aud empty', withClaims({ aud: '' })],
  ['aud given twice', withPayloadText((text) => text.replace('{', '{"aud":"another-app",'))],
  ['iss missing', without('iss')],
  ['iss of another', withClaims({ iss: 'someone' })],
  ['jti missing', without('jti')],
  ['jti as a number', withClaims({ jti: 1 })],
  ['jti empty', withClaims({ jti: '' })],
  ['use missing', without('use')],
  ['use of a name that we do not know', withClaims({ use: 'admin' })],
  ['use constructor', withClaims({ use: 'constructor' })],
  ['use given twice', withPayloadText((text) => text.replace('{', '{"use":"user",'))],
  ['an app token with the claims of a user', withClaims({ sub: userClaims.sub, epoch: 0 })],
  ['a user token turned into an app token', withClaims({ use: 'app' }, userClaims)],
  ['an app token turned into a user token', withClaims({ use: 'user' })],
  ['a user token without sub', without('sub', userClaims)],
  ['a user token with an empty sub', withClaims({ sub: '' }, userClaims)],
  ['a user token with a list as sub', withClaims({ sub: [userClaims.sub] }, userClaims)],
  ['a user token without epoch', without('epoch', userClaims)],
  ['a user token with epoch as text', withClaims({ epoch: '0' }, userClaims)],
  ['a user token with epoch null', withClaims({ epoch: null }, userClaims)],
  ['a user token with a fraction as epoch', withClaims({ epoch: 0.5 }, userClaims)],
  ['a user token with epoch -0', forge(goodHeader, JSON.stringify(userClaims).replace('"epoch":0', '"epoch":-0'))],
  ['a member of the payload that nobody knows', withClaims({ admin: true })],
  ['__proto__ in the payload', withPayloadText((text) => text.replace('{', '{"__proto__":{"use":"app"},'))],
  ['a payload that is a list', forge(goodHeader, [appClaims])],
  ['a payload that is text', forge(goodHeader, '"app"')],
  ['a payload that is null', forge(goodHeader, 'null')],
  ['a payload that is a number', forge(goodHeader, '1')],
  ['a payload that is not JSON', forge(goodHeader, 'use=app')],
  ['a payload nested two thousand deep', forge(goodHeader, '['.repeat(2000))],
  ['blanks in the payload', withPayloadText((text) => text.replace(',', ', '))],
  ['a line end after the payload', withPayloadText((text) => `${text}\n`)],
  [
    'the key of another app',
    forge({ ...goodHeader, kid: otherAppKey.kid }, appClaims, otherAppKey.secret),
    'token_not_accepted',
  ],
  ['the key of another app under our kid', forge(goodHeader, appClaims, otherAppKey.secret)],
  ['the old key under the new kid', forge(goodHeader, appClaims, oldKey.secret)],
  ['the certificate itself as the key', forge(goodHeader, appClaims, createSecretKey(Buffer.from(certificate)))],
  ['the kid as the key', forge(goodHeader, appClaims, createSecretKey(Buffer.from(key.kid)))],
  ['one byte as the key', forge(goodHeader, appClaims, createSecretKey(Buffer.from([0])))],
  ['no signature', `${validHeader}.${validPayload}.`],
  ['a cut signature', valid.slice(0, -1)],
  ['a signature of another token', `${validHeader}.${validPayload}.${tokens.sign(userClaims, key).split('.')[2]}`],
  ['the payload of another token', `${validHeader}.${encode({ ...appClaims, exp: now + 9999 })}.${validSignature}`],
  ['a signature spelled in another way', `${validHeader}.${validPayload}.${nonCanonical(validSignature)}`],
  ['padding behind the signature', `${valid}=`],
  ['padding behind the header', `${validHeader}=.${validPayload}.${validSignature}`],
  [
    'a signature in plain base64',
    `${validHeader}.${validPayload}.${Buffer.from(validSignature, 'base64url').toString('base64')}`,
  ],
  ['a signature in hex', `${validHeader}.${validPayload}.${Buffer.from(validSignature, 'base64url').toString('hex')}`],
  ['a blank before', ` ${valid}`],
  ['a blank behind', `${valid} `],
  ['a line end behind', `${valid}\n`],
  ['a blank before a point', `${validHeader} .${validPayload}.${validSignature}`],
  ['a NUL inside', `${validHeader}\0.${validPayload}.${validSignature}`],
  [
    'a tab inside the signature',
    `${validHeader}.${validPayload}.${validSignature.slice(0, 9)}\t${validSignature.slice(9)}`,
  ],
  ['a fourth part', `${valid}.AAAA`],
  ['a fourth part, empty', `${valid}.`],
  ['five parts, as an encrypted token has', `${valid}.AAAA.AAAA`],
  ['two points alone', '..'],
  ['one part', validHeader],
  ['an empty header', `.${validPayload}.${validSignature}`],
  ['an empty payload', `${validHeader}..${validSignature}`],
  ['JSON serialisation', JSON.stringify({ protected: validHeader, payload: validPayload, signature: validSignature })],
  ['Bearer before', `Bearer ${valid}`],
  ['nothing', ''],
  ['more than 4096 characters, rightly signed', withClaims({ jti: 'a'.repeat(4096) })],
];

describe('refuses', () => {
  test.each(attacks)('%s', (_, token, code = 'token_malformed') => expect(outcome(token)).toBe(code));

  test('another base64url encoding of the same bytes', () => {
    expect(Buffer.from(nonCanonical(validSignature), 'base64url')).toEqual(Buffer.from(validSignature, 'base64url'));
    expect(nonCanonical(validSignature)).not.toBe(validSignature);
  });

  test('every flipped bit, and every truncation', () => {
    const bytes = Buffer.from(valid);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(typeof outcome(changed.toString('latin1'))).toBe('string');
    }
    for (let length = 0; length < valid.length; length++) expect(typeof outcome(valid.slice(0, length))).toBe('string');
  });

  test('random text, and throws nothing but an AppError', () => {
    const part = fc.base64String().map((random) => random.replace(/=+$/, ''));
    const threeParts = fc.tuple(fc.constantFrom(validHeader, 'e30'), part, part).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), threeParts), (random) => {
        expect(typeof outcome(random)).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });

  test('any JSON that is signed with the right key but is not claims', () => {
    fc.assert(
      fc.property(fc.json(), (payload) => {
        expect(outcome(forge(goodHeader, payload))).toBe('token_malformed');
      }),
      { numRuns: 1000 },
    );
  });
});
