import type { ErrorCode } from './error-codes.js';

export interface AppErrorDetails {
  /** Text for the caller, truncated if too long. Never a secret or an internal detail. */
  readonly detail?: string;
  /** What is wrong with each member of the request, for dialects that report them separately. */
  readonly problems?: Readonly<Record<string, string>>;
  /** When a retry makes sense, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** Numbers behind a refusal, for the dialect's text. */
  readonly count?: number;
  readonly limit?: number;
  /** When what stands in the way ends, in Unix milliseconds. */
  readonly untilMs?: number;
  /** The reason, for the log only. */
  readonly cause?: unknown;
}

/** A detail may repeat a name from the caller, and a bad request should not produce a 64 KiB answer. */
const maxDetailLength = 300;

/** Text of any length, truncated for use in an error. */
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
  readonly untilMs: number | undefined;

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
    this.untilMs = details.untilMs;
  }
}
