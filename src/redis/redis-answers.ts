import { type RedisCommander, ReplyError } from 'ioredis';

/**
 * Replies that mean "not now" rather than "invalid command". Old servers quote the reply to a command within a script.
 */
const unavailableAnswer =
  /^(?:ERR Error running script.* -)?((?:LOADING|BUSY|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|MISCONF|OOM|TRYAGAIN|NOAUTH)\b.*)/;
/** Those of them that a server gives only for writes. */
const refusedWrite = /^(READONLY|NOREPLICAS|MISCONF|OOM)\b/;
/** How long the key of a trial write is kept. */
const trialMs = 10_000;

/** Whether Redis said that the command is invalid, which means that it works. */
export function isOwnFault(error: Error): boolean {
  return isAnswer(error) && !unavailableAnswer.test(error.message);
}

/** What a server that accepts no writes says about it; null for any other failure. */
export function refusalOf(error: Error): string | null {
  const answer = isAnswer(error) ? unavailableAnswer.exec(error.message)?.[1] : undefined;
  if (answer === undefined || !refusedWrite.test(answer)) return null;
  // The server adds details about the script in which it happened.
  return (answer.split('. script: ', 1)[0] as string).replace(/\.$/, '');
}

/**
 * Writes beside `key`. A reply that is not such a refusal (from an access list, say) proves nothing, and does not
 * matter.
 */
export async function tryWrite(redis: RedisCommander, key: string): Promise<void> {
  const tag = /\{[^}]+\}/.exec(key)?.[0] ?? `{${key}}`;
  try {
    await redis.set(`${tag}:trial`, '', 'PX', trialMs);
  } catch (error) {
    if (!isOwnFault(error as Error)) throw error;
  }
}

/** Not by its name, which is that of its class: a bundler may change that. */
function isAnswer(error: Error): boolean {
  return error instanceof (ReplyError as ErrorConstructor);
}
