import { AppError } from '../errors/app-error.js';

const unitMs = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;
const isoDuration =
  /^P(?=[\dT])(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/;
const shortDuration = /^(?=\d)(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$/;
const isoInstant =
  /^(\d{4})-(\d\d)-(\d\d)(?:T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d))?$/;
/** A number below this is a time in seconds by mistake: as milliseconds it would lie in 1973. */
const minMs = 100_000_000_000;
const maxDurationMs = 36_525 * unitMs.d;

/**
 * A length of time in milliseconds: `7d`, `36h`, `1d12h`, or in ISO 8601 `P7D`, `PT30M`; from a second to a century.
 * @throws AppError argument_invalid
 */
export function readDuration(text: string): number {
  const parts = (isoDuration.exec(text) ?? shortDuration.exec(text))?.slice(1);
  const [w = 0, d = 0, h = 0, m = 0, s = 0] = parts?.map((part) => Number(part ?? 0)) ?? [];
  const ms = w * unitMs.w + d * unitMs.d + h * unitMs.h + m * unitMs.m + s * unitMs.s;
  if (ms <= 0 || ms > maxDurationMs)
    throw new AppError('argument_invalid', {
      detail: 'duration must be a length such as 7d, 36h, 1d12h or PT30M, from a second to a hundred years',
    });
  return ms;
}

/**
 * An instant in Unix milliseconds, from a number of those or from ISO 8601 with an offset; a date alone begins in UTC.
 * @param name the member, for the error @throws AppError argument_invalid
 */
export function readInstant(name: string, value: unknown): number {
  const ms = typeof value === 'string' && isRealDay(value) ? Date.parse(value) : numberOf(value);
  if (!Number.isSafeInteger(ms) || ms < minMs)
    throw new AppError('argument_invalid', {
      detail: `${name} must be Unix milliseconds such as 1798761600000, or ISO 8601 such as 2027-01-01T00:00:00Z`,
    });
  return ms;
}

function numberOf(value: unknown): number {
  return typeof value === 'string' && /^\d{1,15}$/.test(value)
    ? Number(value)
    : typeof value === 'number'
      ? value
      : NaN;
}

function isRealDay(text: string): boolean {
  const [, year, month, day] = (isoInstant.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined || month < 1 || month > 12) return false;
  const days = (Date.UTC(year, month, 1) - Date.UTC(year, month - 1, 1)) / unitMs.d;
  return day >= 1 && day <= days;
}
