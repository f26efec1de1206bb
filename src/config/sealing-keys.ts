import { readFileSync } from 'node:fs';

/** 32 bytes for AES-256. */
export type SealingKey = Buffer;

const form = 'keys of 32 bytes with commas between them, each 64 hex digits or base64, or none in the first place';

/** The keys in a text, in order; null stands for `none`. @throws Error that says what would be right */
export function parseSealingKeys(text: string): readonly (SealingKey | null)[] {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  return parts.map((part, index) => {
    if (part === 'none' && index === 0) return null;
    const key = Buffer.from(part, /^[0-9a-fA-F]{64}$/.test(part) ? 'hex' : 'base64url');
    if (key.length !== 32 || !/^[A-Za-z0-9+/_-]+=?$/.test(part)) throw new Error(`must be ${form}`);
    return key;
  });
}

/** The keys in a file. @throws Error that says what would be right */
export function readSealingKeys(path: string): readonly (SealingKey | null)[] {
  if (path === '') return [];
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`must name a file that can be read (${(error as { code?: string }).code})`, { cause: error });
  }
  const keys = parseFile(text);
  if (keys.length === 0) throw new Error(`must name a file with ${form}`);
  return keys;
}

function parseFile(text: string): readonly (SealingKey | null)[] {
  try {
    return parseSealingKeys(text);
  } catch (error) {
    throw new Error(`must name a file with ${form}`, { cause: error });
  }
}
