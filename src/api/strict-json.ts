import { AppError } from '../errors/app-error.js';

const depthMost = 32;
const membersMost = 1024;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses the JSON of a body and refuses what two readers could understand differently or what only an attacker sends:
 * a member given twice, `__proto__`, over 32 levels, over 1,024 members, a number that is too large to keep, bytes that
 * are not UTF-8, a byte order mark.
 * @throws AppError json_malformed. The text never repeats the body, which may hold a password.
 */
export function parseStrictJson(body: Uint8Array): unknown {
  const text = decode(body);
  // Outside of strings each colon belongs to one member. Counted first: the parser needs long for very many of them.
  const colons = countColons(text);
  if (colons > membersMost) throw malformed(`over ${membersMost} members`);
  const value = parse(text);
  // A member that the parser merged is missing here.
  if (typeof value === 'object' && value !== null && countMembers(value, 1) !== colons)
    throw malformed('a member is given twice in one object');
  return value;
}

function decode(body: Uint8Array): string {
  try {
    return decoder.decode(body);
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
  if (depth > depthMost) throw malformed(`over ${depthMost} levels of nesting`);
  const names = Array.isArray(value) ? [] : Object.keys(value);
  if (names.includes('__proto__')) throw malformed('a member may not be called __proto__');
  let members = names.length;
  for (const child of Object.values(value) as unknown[]) {
    if (typeof child === 'object' && child !== null) members += countMembers(child, depth + 1);
    // It would be written as null when it is passed on.
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
