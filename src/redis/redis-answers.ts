import { type RedisCommander, ReplyError } from 'ioredis';

/** Answers that say "not now" rather than "wrong question". Old servers quote what a command in a script was answered. */
const unavailableAnswer =
  /^(?:ERR Error running script.* -)?((?:LOADING|BUSY|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|MISCONF|OOM|TRYAGAIN|NOAUTH)\b.*)/;
/** Those of them that a server gives to writes alone. */
const refusedWrite = /^(READONLY|NOREPLICAS|MISCONF|OOM)\b/;
/** How long a key stays that was written to see whether the server takes writes. */
const trialMs = 10_000;

/** Whether Redis said that the command is wrong: it serves. */
export function isOwnFault(error: Error): boolean {
  return isAnswer(error) && !unavailableAnswer.test(error.message);
}

/** What a server that takes no writes says of it; null for any other failure. */
export function refusalOf(error: Error): string | null {
  const answer = isAnswer(error) ? unavailableAnswer.exec(error.message)?.[1] : undefined;
  if (answer === undefined || !refusedWrite.test(answer)) return null;
  // The server goes on about the script in which it happened.
  return (answer.split('. script: ', 1)[0] as string).replace(/\.$/, '');
}

/** Writes beside `key`. An answer that is no refusal (of an access list, say) does not tell, and does not hinder. */
export async function tryWrite(redis: RedisCommander, key: string): Promise<void> {
  const tag = /\{[^}]+\}/.exec(key)?.[0] ?? `{${key}}`;
  try {
    await redis.set(`${tag}:trial`, '', 'PX', trialMs);
  } catch (error) {
    if (!isOwnFault(error as Error)) throw error;
  }
}

/** Not by its name, which is that of its class: a bundler may give that another one. */
function isAnswer(error: Error): boolean {
  return error instanceof (ReplyError as ErrorConstructor);
}
