import type { ErrorCode } from './error-codes.js';

export interface AppErrorDetails {
  /** Text for the caller, of which what is too long is cut off. Never a secret, never an internal. */
  readonly detail?: string;
  /** What is wrong with each member of the request, for a dialect that tells them apart. */
  readonly problems?: Readonly<Record<string, string>>;
  /** When trying again makes sense, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** Numbers behind a refusal, for the dialect's text. */
  readonly count?: number;
  readonly limit?: number;
  /** The reason, for the log only. */
  readonly cause?: unknown;
}

/** A detail may repeat a name of the caller's, and an answer of 64 KiB should not be had for a bad request. */
const maxDetailLength = 300;

/** A text of any length as an error may repeat it. */
export function shortened(text: string): string {
  return text.length <= maxDetailLength ? text : `${text.slice(0, maxDetailLength).toWellFormed()}…`;
}

/** The one kind of error that services throw. */
export class AppError extends Error {
  readonly detail: string | undefined;
  readonly problems: Readonly<Record<string, string>> | undefined;
  readonly retryAfterMs: number | undefined;
  readonly count: number | undefined;
  readonly limit: number | undefined;

  constructor(
    readonly code: ErrorCode,
    details: AppErrorDetails = {},
  ) {
    const detail = details.detail === undefined ? undefined : shortened(details.detail);
    super(detail === undefined ? code : `${code}: ${detail}`, { cause: details.cause });
    this.name = 'AppError';
    this.detail = detail;
    this.problems = details.problems;
    this.retryAfterMs = details.retryAfterMs;
    this.count = details.count;
    this.limit = details.limit;
  }
}
