import { Logger } from '@nestjs/common';
import { errorText } from './serialize-error.js';

const logger = new Logger('Reactions');

/**
 * Runs reactions to something that has happened: a committed change, the end of a session. Each stands alone: if one
 * fails, it is logged, and neither the cause nor the other reactions are affected.
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
