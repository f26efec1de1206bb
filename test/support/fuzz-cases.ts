import fc from 'fast-check';
import { type JsonSchema, type NamedSchemas, resolved } from './json-schema.js';

export interface Operation {
  readonly method: string;
  /** Every path that a handler serves, with `{parameters}`. */
  readonly paths: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema?: JsonSchema }[];
  readonly body: JsonSchema | undefined;
  /** Whether the body is a form and not JSON. */
  readonly form: boolean;
  readonly responses: Readonly<Record<string, { content?: Record<string, { schema?: JsonSchema }> }>>;
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, any>>>>;
  readonly components: { readonly schemas: NamedSchemas };
}

/** What a running service has, by the name of a parameter or member in the document. */
export type World = Readonly<Record<string, readonly string[]>>;

export interface FuzzCase {
  readonly kind: 'valid' | 'mutant' | 'raw';
  readonly method: string;
  /** As sent on the wire. */
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | null;
}

/** Part of every secret that is sent. No answer may contain it. */
export const canary = 'canary-7f3a9c';
const secretMember = /password|secret|refresh_token|identity_token/;

/** The operations of a document; those under several prefixes are one, as they share a handler. */
export function operationsOf({ paths }: OpenApiDocument): Operation[] {
  const operations = new Map<string, Operation>();
  for (const [path, item] of Object.entries(paths))
    for (const method of ['get', 'put', 'post', 'patch', 'delete']) {
      const described = item[method];
      if (described === undefined) continue;
      const handler = `${method} ${described.operationId.replace(/_\d+$/, '')}`;
      const before = operations.get(handler);
      const content: Record<string, { schema?: JsonSchema }> = described.requestBody?.content ?? {};
      const [type = 'application/json'] = Object.keys(content);
      operations.set(handler, {
        method: method.toUpperCase(),
        paths: [...(before?.paths ?? []), path],
        parameters: described.parameters,
        body: content[type]?.schema,
        form: type !== 'application/json',
        responses: described.responses,
      });
    }
  return [...operations.values()];
}

/** JSON that no schema asks for, as text. */
const hostileJson = [
  ...['null', 'true', 'false', '0', '-0', '-1', '0.5', '1e308', '1e400', '-1e400', '9007199254740993', '2147483648'],
  ...[
    '1688888483063664642',
    '1.0',
    '-0.0',
    '1E5',
    '1e-400',
    '6.28E11',
    `0.${'3'.repeat(40)}`,
    `{"n":${'9'.repeat(25)}}`,
  ],
  ...['""', '" "', '"."', '".."', '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00a"', '"\\r\\nset-cookie: a=b"'],
  ...['"\\u202e\\u200b"', '"\\u0130\\u212a"', '"ﬀ"', '"😀"', '"cafe\\u0301"', '"%00"', '"%_"', `"' OR 1=1 -- "`],
  ...['"__proto__"', '"constructor"', '"batch"', '"null"', '"[object Object]"', '"1e400"', '"9999-99-99 99:99:99"'],
  ...[65, 101, 256, 513, 4_097, 20_000, 60_000].map((length) => JSON.stringify('x'.repeat(length))),
  ...[101, 5_000].map((length) => JSON.stringify('😀'.repeat(length))),
  ...['{}', '[]', '{"$ne":1}', '{"$gt":""}', '{"toString":1}', '{"__proto__":1}', '{"a":1,"a":2}', '{"length":1e9}'],
  ...['[[]]', '[null]', '[{}]', '[1]', '["a","a"]', `[${Array(700).fill('"a"').join()}]`, '[', '{', ',', '1 2'],
  ...[33, 2_000].map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
];
/** The same for a path or a query, as text. */
const hostileText = [
  ...['%00', 'a%00', '%ff', '%c0%af', '%2F', '..', '%2e%2e', '.', '%252e', '%', '%zz', 'a%20', '%20a', '+', ';', '@'],
  ...[
    '%F0%9F%98%80',
    '%E9',
    'caf%E9',
    '%C3',
    '%CC%81',
    '%E2%84%AA',
    '%C4%B0',
    '%ED%A0%80',
    '%0d%0aset-cookie:%20a',
    "'%20OR%201=1--",
    '%25_',
  ],
  ...['batch', 'null', 'undefined', 'true', '__proto__', 'constructor', '[object%20Object]', '*', '(', '\\', '|', '"'],
  ...['-1', '0', '-0', '1e400', '0x10', '1.5', '9007199254740993', '9'.repeat(30), '%D9%A1', 'a,b,,c', ','],
  ...[65, 256, 1_025, 1_100, 6_000].map((length) => 'x'.repeat(length)),
];
const hostileHeaders: readonly (readonly [string, string])[] = [
  ...[
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${canary}`,
    `Bearer 007${canary}`,
    `Bearer ${'A'.repeat(6_000)}`,
    'Basic dTpw',
  ].map((value) => ['authorization', value] as const),
  ...[
    '',
    '\t',
    'text/xml',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1',
    'application/x-www-form-urlencoded; charset=nonsense',
    'multipart/form-data',
    'multipart/form-data; boundary=',
  ],
  ...['multipart/form-data; boundary=x', 'application/x-www-form-urlencoded', 'application/json'],
].map((one) => (typeof one === 'string' ? (['content-type', one] as const) : one));
const otherHeaders: readonly (readonly [string, string])[] = [
  ...['gzip', 'br', 'deflate, gzip', 'identity'].map((value) => ['content-encoding', value] as const),
  ...['', 'a.b', '[::1]:1', '127.0.0.1:99999', 'x'.repeat(300)].map((value) => ['x-forwarded-host', value] as const),
  ...['', 'unknown', '::1, x', '999.1.1.1', ','].map((value) => ['x-forwarded-for', value] as const),
  ...['', canary, `${canary}\xe9`, '{}', '0'.repeat(32)].map((value) => ['qiscus-sdk-secret', value] as const),
  ...['', 'nobody', '\xff', '0'.repeat(32)].map((value) => ['qiscus-sdk-app-id', value] as const),
  ...['', canary].map((value) => ['qiscus-sdk-token', value] as const),
  ...(['accept', 'range', 'if-none-match', 'cookie', 'origin', '__proto__', 'x'] as const).map(
    (name) => [name, '*/*;q=-1,"'] as const,
  ),
  // Less than 8 KiB with the others: a request with longer headers is not one, and has no dialect.
  ['x-long', 'y'.repeat(5_000)],
];
const allHostileHeaders = [...hostileHeaders, ...otherHeaders];
/** The place of a hostile member in a body. */
const hole = '@hole@';

/** About half of the cases are valid, four in ten have one thing wrong, one in ten has bytes for a body. */
export function casesOf(operation: Operation, world: World, named: NamedSchemas): fc.Arbitrary<FuzzCase> {
  const parts = partsOf(operation, world, named);
  const valid = parts.map((one) => toCase('valid', operation.method, one));
  const mutant = fc
    .tuple(parts, fc.nat(), fc.nat(), fc.nat())
    .map(([one, target, place, value]) => toCase('mutant', operation.method, mutated(one, target, place, value)));
  const raw = fc
    .tuple(parts, fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.nat()))
    .map(([one, bytes]) => ({ ...toCase('raw', operation.method, one), body: rawBody(one, bytes) }));
  return fc.oneof({ weight: 5, arbitrary: valid }, { weight: 4, arbitrary: mutant }, { weight: 1, arbitrary: raw });
}

interface Parts {
  readonly template: string;
  readonly inPath: Readonly<Record<string, string>>;
  readonly inQuery: readonly (readonly [string, string])[];
  readonly headers: readonly (readonly [string, string])[];
  /** undefined if none is sent. */
  readonly body: unknown;
  readonly form: boolean;
  /** The JSON to be inserted at the hole. */
  readonly filling: string;
}

function partsOf(operation: Operation, world: World, named: NamedSchemas): fc.Arbitrary<Parts> {
  const names = [
    ...new Set(operation.paths.flatMap((path) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string))),
  ];
  const segment = (name: string) =>
    knownOr(name, world, fc.stringMatching(/^[A-Za-z0-9_.-]{1,70}$/)).map((text) => encodeURIComponent(text));
  const inQuery = operation.parameters.filter((one) => one.in === 'query');
  const query = inQuery.map(({ name, schema = {} }) =>
    fc.option(
      valueOf(schema, name, world, named).map((value) => [name, encodeURIComponent(String(value))] as const),
      { nil: null, freq: 4 },
    ),
  );
  const address = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map((bytes) => `10.${bytes.join('.')}`);
  return fc.record({
    template: fc.constantFrom(...operation.paths),
    inPath: fc.record(Object.fromEntries(names.map((name) => [name, segment(name)]))),
    inQuery: fc.tuple(...query).map((pairs) => pairs.filter((pair) => pair !== null)),
    // Every call comes from a different address: how often one may guess passwords is not the subject here.
    headers: address.map((from) => [...headersOf(world), ['x-forwarded-for', from] as const]),
    body: operation.body === undefined ? fc.constant(undefined) : valueOf(operation.body, 'body', world, named),
    form: fc.constant(operation.form),
    filling: fc.constant('null'),
  });
}

function headersOf(world: World): (readonly [string, string])[] {
  return ['authorization', 'qiscus-sdk-app-id', 'qiscus-sdk-secret', 'qiscus-sdk-token'].map(
    (name) => [name, world[name]?.[0] ?? ''] as const,
  );
}

/** Usually a value that the service knows, if there is one. */
function knownOr<Value>(name: string, world: World, other: fc.Arbitrary<Value>): fc.Arbitrary<Value | string> {
  const known = world[name];
  if (known !== undefined)
    return fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: other });
  return secretMember.test(name) ? fc.constantFrom(`${canary}-secret`, `${canary}é`) : other;
}

function valueOf(written: JsonSchema, name: string, world: World, named: NamedSchemas): fc.Arbitrary<unknown> {
  const schema = resolved(written, named);
  if (schema.nullable === true)
    return fc.option(valueOf({ ...schema, nullable: false }, name, world, named), { nil: null, freq: 8 });
  if (schema.oneOf !== undefined) return fc.oneof(...schema.oneOf.map((one) => valueOf(one, name, world, named)));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
    case 'number':
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 200 });
    case 'array':
      return fc.array(valueOf(schema.items ?? {}, name, world, named), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 8, 8),
      });
    case 'object':
      return objectOf(schema, world, named);
    // Values without a type are sent as text: a part of a query.
    case 'string':
    case undefined:
      return knownOr(name, world, textOf(schema));
    default:
      throw new Error(`nothing here makes the type ${schema.type}`);
  }
}

function textOf({ pattern, maxLength = 80 }: JsonSchema): fc.Arbitrary<string> {
  const text =
    pattern === undefined ? fc.string({ unit: 'grapheme', maxLength }) : fc.stringMatching(new RegExp(pattern));
  return text.map((one) => one.slice(0, maxLength));
}

function objectOf(schema: JsonSchema, world: World, named: NamedSchemas): fc.Arbitrary<unknown> {
  if (schema.properties === undefined) return fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 });
  const members = Object.entries(schema.properties).map(
    ([name, member]) => [name, valueOf(member, name, world, named)] as const,
  );
  return fc.record(Object.fromEntries(members), { requiredKeys: [...(schema.required ?? [])] });
}

/** With one thing wrong: in the path, the query, a header or the body. */
function mutated(parts: Parts, target: number, place: number, value: number): Parts {
  const pick = <Item>(from: readonly Item[], at = value): Item => from[at % from.length] as Item;
  const leaves = parts.body === undefined ? [] : placesIn(parts.body);
  const inPath = Object.keys(parts.inPath).filter((name) => parts.template.includes(`{${name}}`));
  const targets = [
    ...(leaves.length === 0 ? [] : Array<'body'>(6).fill('body')),
    ...(inPath.length === 0 ? [] : Array<'path'>(3).fill('path')),
    ...Array<'query' | 'headers'>(2).fill('query'),
    'headers' as const,
  ];
  switch (pick(targets, target)) {
    case 'body':
      return { ...parts, body: replaced(parts.body, pick(leaves, place)), filling: pick(hostileJson) };
    case 'path':
      return { ...parts, inPath: { ...parts.inPath, [pick(inPath, place)]: pick(hostileText) } };
    case 'query': {
      const [name] = pick([...parts.inQuery, ['limit', ''], ['user_id', ''], ['x', '']] as const, place);
      const written = pick([name, `${name}[]`, `${name}[$ne]`, `${name}[0]`, '__proto__'], value >> 8);
      return { ...parts, inQuery: [...parts.inQuery, [written, pick(hostileText)]] };
    }
    case 'headers': {
      const [name, header] = pick(allHostileHeaders);
      // Occasionally next to the right one.
      const others = place % 5 === 0 ? parts.headers : parts.headers.filter(([one]) => one !== name);
      return { ...parts, headers: header === '' ? others : [...others, [name, header]] };
    }
  }
}

/** The places in a JSON value, including the value itself. */
function placesIn(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([name, member]) => placesIn(member, [...at, name]))];
}

function replaced(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return hole;
  const copy: any = Array.isArray(value) ? [...value] : { ...(value as object) };
  copy[name] = replaced(copy[name], rest);
  return copy;
}

function toCase(kind: FuzzCase['kind'], method: string, parts: Parts): FuzzCase {
  const path = parts.template.replace(/\{(\w+)\}/g, (_whole, name: string) => parts.inPath[name] ?? '');
  const query = parts.inQuery.map(([name, value]) => `${name}=${value}`).join('&');
  return {
    ...{ kind, method, path: query === '' ? path : `${path}?${query}`, headers: parts.headers },
    body: parts.body === undefined ? null : Buffer.from(written(parts)),
  };
}

function written({ body, form, filling }: Parts): string {
  if (form) return formOf(body === hole ? { x: hole } : (body as object), filling);
  return JSON.stringify(body).replace(`"${hole}"`, () => filling);
}

function formOf(body: object, filling: string): string {
  const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  return Object.entries(body)
    .map(
      ([name, value]) =>
        `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(
          text(value)
            .toWellFormed()
            .replace(hole, () => filling),
        )}`,
    )
    .join('&');
}

/** Empty values, and values that are not text. */
const emptyBodies = ['[]', '""', 'null', ' ', '\r\n', '[[]]', '0', '1.0'];
const latinBodies = ['user_id=caf\xe9', 'username=%E9&password=%ff', '{"username":"caf\xe9"}', '\xef\xbb\xbf{}'];
const knownBodies = [...emptyBodies, ...latinBodies].map((text) => Buffer.from(text, 'latin1'));

/** Bytes, a body from the lists, or a valid one that was truncated. */
function rawBody(parts: Parts, bytes: Uint8Array | number): Uint8Array {
  if (typeof bytes !== 'number') return bytes;
  if (bytes % 3 === 0) return knownBodies[(bytes / 3) % knownBodies.length] as Uint8Array;
  const whole = Buffer.from(written({ ...parts, body: parts.body ?? { user_id: 'a', password: canary } }));
  return whole.subarray(0, bytes % (whole.length + 1));
}
