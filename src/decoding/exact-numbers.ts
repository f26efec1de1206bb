/**
 * A JSON number that JavaScript would write differently or with other digits: an id of 19 digits, `1.0`, `-0`.
 * `JSON.stringify` writes it as it came.
 */
interface ExactNumber {
  readonly rawJSON: string;
}

// Supported by the platform but not yet in TypeScript's library: the proposal "JSON.parse source text access".
declare global {
  interface JSON {
    rawJSON(text: string): ExactNumber;
    isRawJSON(value: unknown): value is ExactNumber;
  }
}

/** Whether a text may contain such a number. Looks into strings as well: a wrong guess there only costs time. */
const perhapsInexact = /\d{16}|\d\.\d|\d[eE][+\d-]|-0(?![\d.])/;

/** `JSON.parse` that changes no number. Nearly every text has none that could change, and costs nothing extra. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, perhapsInexact.test(text) ? keepText : undefined) as unknown;
}

export function hasOnlyPlainNumbers(text: string): boolean {
  return !perhapsInexact.test(text);
}

/** The number, if JavaScript has one of the same value: `1.0` is 1. */
export function plainNumberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (!JSON.isRawJSON(value)) return undefined;
  const number = Number(value.rawJSON);
  return significantDigits(String(number)) === significantDigits(value.rawJSON) ? number : undefined;
}

/** A number as the text of a name or id: an integer digit by digit; any other if JavaScript has its value. */
export function numberTextOf(value: unknown): string | undefined {
  if (JSON.isRawJSON(value) && /^-?\d+$/.test(value.rawJSON)) return value.rawJSON;
  const number = plainNumberOf(value);
  return number === undefined ? undefined : String(number);
}

function keepText(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  return typeof value === 'number' && source !== undefined && String(value) !== source ? JSON.rawJSON(source) : value;
}

/** Two numbers that round to each other are equal exactly if these are the same. */
function significantDigits(number: string): string {
  return number
    .replace(/e.*$/i, '')
    .replace(/[-.]/g, '')
    .replace(/^0+|0+$/g, '');
}
