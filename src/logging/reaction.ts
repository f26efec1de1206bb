import { Logger } from '@nestjs/common';
import { errorText } from './serialize-error.js';

const logger = new Logger('Reactions');

/**
 * Runs what follows from something that has happened: a change that is committed, a session that ended. Each reaction
 * stands alone: one that fails is logged, and neither the cause nor the other reactions notice.
 */
export function runReaction(reaction: () => unknown): void {
  try {
    const result = reaction();
    if (result instanceof Promise) result.catch(complain);
  } catch (error) {
    complain(error);
  }
}

function complain(error: unknown): void {
  logger.error(`a reaction has failed: ${errorText(error)}`);
}
