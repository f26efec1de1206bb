/**
 * A number of JSON whose text JavaScript would write in another way, or with other digits: an id of 19 digits, `1.0`,
 * `-0`. `JSON.stringify` writes it as it came.
 */
interface ExactNumber {
  readonly rawJSON: string;
}

// Of the platform, and not yet in TypeScript's library: the proposal "JSON.parse source text access".
declare global {
  interface JSON {
    rawJSON(text: string): ExactNumber;
    isRawJSON(value: unknown): value is ExactNumber;
  }
}

/** Whether a text may have such a number. Looks into strings as well: there, a wrong guess costs time only. */
const perhapsInexact = /\d{16}|\d\.\d|\d[eE][+\d-]|-0(?![\d.])/;

/** `JSON.parse` that changes no number. Nearly every text is without one that could change, and costs nothing more. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, perhapsInexact.test(text) ? keepText : undefined) as unknown;
}

export function hasOnlyPlainNumbers(text: string): boolean {
  return !perhapsInexact.test(text);
}

/** The number, where JavaScript has one of the same value: `1.0` is 1. */
export function plainNumberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (!JSON.isRawJSON(value)) return undefined;
  const number = Number(value.rawJSON);
  return significantDigits(String(number)) === significantDigits(value.rawJSON) ? number : undefined;
}

/** A number as the text of a name or an id: a whole one digit by digit; another if JavaScript has its value. */
export function numberTextOf(value: unknown): string | undefined {
  if (JSON.isRawJSON(value) && /^-?\d+$/.test(value.rawJSON)) return value.rawJSON;
  const number = plainNumberOf(value);
  return number === undefined ? undefined : String(number);
}

function keepText(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  return typeof value === 'number' && source !== undefined && String(value) !== source ? JSON.rawJSON(source) : value;
}

/** Two numbers that round to each other have the same value exactly if these are the same. */
function significantDigits(number: string): string {
  return number
    .replace(/e.*$/i, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '');
}
