import { AppError } from '../errors/app-error.js';
import { hasOnlyPlainNumbers, parseExactly } from './exact-numbers.js';
import { utf8 } from './text.js';

const maxDepth = 32;
const maxMembers = 1024;

/**
 * Parses JSON from outside and refuses what two readers could understand differently or only an attacker sends: a
 * duplicate member, `__proto__`, over 32 levels, over 1,024 members, a number too large to keep, invalid UTF-8, a byte
 * order mark. No number is changed: see `exact-numbers.ts`.
 * @throws AppError json_malformed. The text never repeats the input, which may hold a password.
 */
export function parseStrictJson(sent: Uint8Array | string): unknown {
  const text = typeof sent === 'string' ? sent : decode(sent);
  // Outside strings, each colon belongs to one member. Counted first: the parser is slow for very many of them.
  const colons = countColons(text);
  if (colons > maxMembers) throw malformed(`over ${maxMembers} members`);
  const value = parse(text);
  // A duplicate that the parser merged is missing here.
  if (typeof value === 'object' && value !== null && countMembers(value, 1) !== colons)
    throw malformed('a member is given twice in one object');
  // Only once it is known to be flat: the parser that keeps digits recurses for each level.
  return hasOnlyPlainNumbers(text) ? value : parseExactly(text);
}

export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

/** Whether a text contains no JSON. */
export function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text);
}

/** Null, an empty string, or the empty list that PHP makes of an object without members: nothing was sent. */
export function isNothing(value: unknown): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

function decode(body: Uint8Array): string {
  try {
    return utf8.decode(body);
  } catch {
    throw malformed('the body is not UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const position = /at position (\d+)/.exec((error as Error).message)?.[1];
    throw malformed(
      position === undefined
        ? 'Unexpected end or character of the body'
        : `Unexpected character at position ${position}`,
    );
  }
}

function countMembers(value: object, depth: number): number {
  if (depth > maxDepth) throw malformed(`over ${maxDepth} levels of nesting`);
  const names = Array.isArray(value) ? [] : Object.keys(value);
  if (names.includes('__proto__')) throw malformed('a member may not be called __proto__');
  let members = names.length;
  for (const child of Object.values(value) as unknown[]) {
    if (typeof child === 'object' && child !== null) members += countMembers(child, depth + 1);
    // Its digits could be kept, but JavaScript readers would get infinity.
    else if (child === Infinity || child === -Infinity) throw malformed('a number is too large to keep');
  }
  return members;
}

const quote = 34;
const backslash = 92;
const colon = 58;

function countColons(text: string): number {
  let colons = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === quote) inString = !inString;
    else if (inString) index += code === backslash ? 1 : 0;
    else if (code === colon) colons += 1;
  }
  return colons;
}

function malformed(detail: string): AppError {
  return new AppError('json_malformed', { detail });
}
