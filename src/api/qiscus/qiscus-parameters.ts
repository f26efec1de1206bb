import { Busboy } from '@fastify/busboy';
import type { FastifyRequest } from 'fastify';
import { isBlank, isJsonObject, isNothing, parseStrictJson } from '../../decoding/strict-json.js';
import { pairsOf, utf8 } from '../../decoding/text.js';
import { AppError } from '../../errors/app-error.js';
import { RawBody } from '../../http/raw-body.js';

const maxNames = 1024;

/** The values of a call by name, without `[]`: JSON values, texts, or lists of texts. */
type Values = ReadonlyMap<string, unknown>;

/** The parameters of a call, wherever and however they were sent. */
export class SentParameters {
  constructor(private readonly values: Values) {}

  /** Empty text and null count as absent: clients send them for values that are not set. */
  get(name: string): unknown {
    const value = this.values.get(name);
    return value === '' || value === null ? undefined : value;
  }
}

/**
 * Reads the parameters of a call in every form that real clients send (docs/dialects/qiscus.md): query and body, even
 * of a GET, as JSON, form or multipart. When both have a name, the query wins.
 * @throws AppError json_malformed, argument_invalid
 */
export async function readParameters(request: FastifyRequest): Promise<SentParameters> {
  const [, query = ''] = /\?(.*)$/s.exec(request.url) ?? [];
  const inBody = await readBody(request.body);
  return new SentParameters(new Map([...inBody, ...fromPairs(pairsOf(query, utf8))]));
}

async function readBody(body: unknown): Promise<Values> {
  if (!(body instanceof RawBody)) return new Map();
  const text = body.text();
  if (isBlank(text)) return new Map();
  if (/^multipart\/form-data/i.test(body.contentType))
    return fromPairs(await multipartPairs(Buffer.from(text), body.contentType));
  // curl labels a body as a form by default, and no form field name begins like JSON.
  if (/^\s*[[{]/.test(text) || /[/+]json\b/i.test(body.contentType)) return fromJson(parseStrictJson(text));
  return fromPairs(body.decode((decoder) => pairsOf(Buffer.from(body.bytes).toString('latin1'), decoder)));
}

function fromJson(value: unknown): Values {
  if (isNothing(value)) return new Map();
  if (!isJsonObject(value)) throw unreadable('the body must be a JSON object');
  return new Map(Object.entries(value).map(([name, one]) => [name.replace(/\[\]$/, ''), one]));
}

/** `k[]`, `k[3]` and a repeated `k` form the list `k`, in the order in which they were sent. */
function fromPairs(pairs: Iterable<readonly [string, string]>): Values {
  const values = new Map<string, string | string[]>();
  let count = 0;
  for (const [written, value] of pairs) {
    if ((count += 1) > maxNames) throw unreadable(`over ${maxNames} parameters`);
    const name = written.replace(/\[\d*\]$/, '');
    const before = values.get(name);
    if (before === undefined) values.set(name, name === written ? value : [value]);
    else if (typeof before === 'string') values.set(name, [before, value]);
    else before.push(value);
  }
  return values;
}

/** A part that claims to be a file is text like any other. The body is well-formed UTF-8, and so is each part. */
function multipartPairs(body: Uint8Array, type: string): Promise<[string, string][]> {
  return new Promise((resolve, reject) => {
    const broken = (): void => reject(unreadable('the multipart body is broken'));
    const pairs: [string, string][] = [];
    try {
      const parser = new Busboy({
        headers: { 'content-type': type },
        isPartAFile: () => false,
        // One more than allowed, so that an excess is detected, not cut off.
        limits: { fields: maxNames + 1, parts: maxNames + 1, fieldSize: body.length, headerPairs: 20 },
      });
      parser.on('field', (name, value) => pairs.push([name, value]));
      parser.on('error', broken);
      parser.on('finish', () => resolve(pairs));
      parser.end(Buffer.from(body));
    } catch {
      broken();
    }
  });
}

function unreadable(detail: string): AppError {
  return new AppError('argument_invalid', { detail, problems: { body: detail } });
}
