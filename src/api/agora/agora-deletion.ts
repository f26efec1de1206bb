import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors/app-error.js';
import { describedParameter } from '../../http/described-parameter.js';

/** How a deletion of many users is meant. */
export interface AgoraDeletion {
  /** Answers who would be deleted, and deletes nobody. */
  readonly isDryRun: boolean;
  /** What a dry run has answered; null: not given. */
  readonly confirmation: string | null;
}

/** What only a dry run answers. */
export const deletionSchemas = {
  data: {
    type: 'array',
    items: {
      type: 'object',
      properties: {
        username: { type: 'string' },
        uuid: { type: 'string' },
        groups: { type: 'integer', description: 'Chat groups that the user owns' },
        chatrooms: { type: 'integer', description: 'Chat rooms that the user owns' },
        offline_msg_count: { type: 'integer' },
      },
    },
    description: 'Only with dry_run: what goes together with each user',
  },
  confirm: { type: 'string', description: 'Only with dry_run: proves that exactly these users were seen' },
};

const readDeletion = createParamDecorator((_data: unknown, context: ExecutionContext): AgoraDeletion => {
  const { dry_run, confirm } = context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>;
  if (confirm !== undefined && (typeof confirm !== 'string' || confirm.length > 64))
    throw new AppError('argument_invalid', { detail: 'confirm must be what a dry run has answered' });
  return {
    isDryRun: flagOf(dry_run),
    confirmation: confirm === undefined || confirm === '' ? null : confirm,
  };
});

/** Injects how a deletion of many users is meant. */
export const Deletion = (): ParameterDecorator =>
  describedParameter(
    readDeletion(),
    ApiQuery({
      name: 'dry_run',
      required: false,
      schema: { enum: ['1', '0', 'true', 'false'] },
      description: 'Answers who would be deleted, and deletes nobody',
    }),
    ApiQuery({ name: 'confirm', required: false, description: 'From a dry run: only exactly these users are deleted' }),
  );

/** Whatever is not understood must not delete anybody. */
function flagOf(text: unknown): boolean {
  if (text === undefined || text === '0' || text === 'false') return false;
  if (text === '1' || text === 'true') return true;
  throw new AppError('argument_invalid', { detail: 'dry_run must be 1 or 0' });
}
