import { Logger } from '@nestjs/common';
import { errorText } from '../logging/told-error.js';

const logger = new Logger('Reactions');

/**
 * Runs what follows a change that is committed. Each reaction stands alone: one that fails is logged, and neither the
 * caller of the change nor the other reactions notice.
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
  logger.error(`what follows a change has failed: ${errorText(error)}`);
}
