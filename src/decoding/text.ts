import { TextDecoder } from 'node:util';

/** Refuses invalid bytes. Decoding with replacements changes what was sent: two passwords would become one. */
export const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** In these an ASCII byte need not be an ASCII letter, and no form or JSON is sent in them. */
const withoutAscii: ReadonlySet<string> = new Set(['utf-16le', 'utf-16be', 'iso-2022-jp']);

/** The decoder for a Content-Type: UTF-8 unless it names another charset; null if that is unsupported. */
export function decoderFor(contentType: string): TextDecoder | null {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1];
  if (charset === undefined || /^utf-?8$/i.test(charset)) return utf8;
  try {
    const decoder = new TextDecoder(charset, { fatal: true, ignoreBOM: true });
    return withoutAscii.has(decoder.encoding) ? null : decoder;
  } catch {
    return null;
  }
}

/**
 * The pairs of a query or form, in the order written.
 * @param bytes as Latin-1 characters, which is how Node returns what is in a head
 * @throws TypeError for bytes invalid in the charset
 */
export function pairsOf(bytes: string, decoder: TextDecoder): [string, string][] {
  return bytes
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = ''] = pair.split('=', 1);
      return [unescaped(name, decoder), unescaped(pair.slice(name.length + 1), decoder)];
    });
}

/** A percent sign that doesn't begin an escaped byte stands for itself, as in every browser. */
function unescaped(text: string, decoder: TextDecoder): string {
  if (/^[\x20-\x24\x26-\x2a\x2c-\x7e]*$/.test(text)) return text;
  const bytes = text
    .replaceAll('+', ' ')
    .replace(/%([\da-f]{2})/gi, (_escape, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return decoder.decode(Buffer.from(bytes, 'latin1'));
}
