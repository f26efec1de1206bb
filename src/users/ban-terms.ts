import { AppError } from '../errors/app-error.js';
import { checkReason } from './activation-reason.js';

/** What a ban is to be. Times are Unix milliseconds. */
export interface BanTerms {
  /** Shown to whoever asks about the ban; up to 1,000 characters. */
  readonly reason: string | null;
  /** For staff only; up to 1,000 characters. */
  readonly note: string | null;
  /** null, or a time that has passed: at once. */
  readonly startsAt: number | null;
  /** null: for ever. */
  readonly endsAt: number | null;
}

/** Who asked for a ban or its end. */
export interface BanOrigin {
  /** E.g. `app token`. */
  readonly by: string;
  /** Which door it came through. */
  readonly source: BanSource;
}

export type BanSource = 'agora' | 'qiscus' | 'command_line' | 'console' | 'earlier_version';

export const banForever: BanTerms = { reason: null, note: null, startsAt: null, endsAt: null };

/** A century: beyond that, a number is a mistake in the unit. */
const maxMs = 36_525 * 86_400_000;

/** @returns the terms as they apply now @throws AppError argument_invalid */
export function checkBanTerms(terms: BanTerms, nowMs: number): BanTerms {
  const { startsAt, endsAt } = terms;
  checkReason(terms.reason);
  checkReason(terms.note, 'note');
  for (const [name, at] of [
    ['starts_at', startsAt],
    ['ends_at', endsAt],
  ] as const)
    if (at !== null && (!Number.isSafeInteger(at) || at < 0 || at > nowMs + maxMs))
      throw invalid(`${name} must be within a hundred years; numbers are Unix milliseconds`);
  if (endsAt !== null && startsAt !== null && endsAt <= startsAt) throw invalid('ends_at must be after starts_at');
  if (endsAt !== null && endsAt <= nowMs) throw invalid('ends_at must be in the future');
  return { ...terms, startsAt: startsAt !== null && startsAt > nowMs ? startsAt : null };
}

function invalid(detail: string): AppError {
  return new AppError('argument_invalid', { detail });
}
