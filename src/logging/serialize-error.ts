export interface SerializedError {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly cause?: SerializedError | string;
}

/**
 * The members of an error that may be shown, and no others. Drivers also add the statement with all of its values,
 * which include password hashes, messages and the secrets of apps.
 */
export function serializeError(error: unknown): SerializedError | string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : `a thrown ${typeof error}`;
  const { code, errno } = error as { code?: unknown; errno?: unknown };
  return {
    type: error.constructor.name,
    message: error.message,
    stack: error.stack ?? error.message,
    ...(code === undefined ? {} : { code }),
    ...(errno === undefined ? {} : { errno }),
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  };
}

/** The same for a person. */
export function errorText(error: unknown): string {
  return textOf(serializeError(error));
}

function textOf(told: SerializedError | string): string {
  if (typeof told === 'string') return told;
  return told.cause === undefined ? told.stack : `${told.stack}\ncaused by: ${textOf(told.cause)}`;
}
