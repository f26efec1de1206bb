import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors/app-error.js';
import { describedParameter } from '../../http/described-parameter.js';

const defaultLimit = 10;
const maxLimit = 100;

export interface AgoraPage {
  /** From 1 to 100. */
  readonly limit: number;
  /** Whether the caller has named no limit. */
  readonly limitIsDefault: boolean;
  /** null: the first page. */
  readonly cursor: string | null;
}

const readPage = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  pageOf(context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>),
);

/** The parameter of a list that says which page is wanted. */
export const Page = (): ParameterDecorator =>
  describedParameter(
    readPage(),
    ApiQuery({ name: 'limit', required: false, description: `1 to ${maxLimit}, default ${defaultLimit}` }),
    ApiQuery({ name: 'cursor', required: false, description: 'From the page before' }),
  );

/**
 * `limit` and `cursor` of a list. A limit out of range is moved into it, as the vendor does above 100; text that is no
 * whole number is refused. Unknown members are ignored: SDKs send some.
 * @throws AppError argument_invalid, cursor_invalid
 */
function pageOf(query: Record<string, unknown>): AgoraPage {
  const { limit, cursor } = query;
  if (cursor !== undefined && typeof cursor !== 'string') throw new AppError('cursor_invalid');
  // An empty cursor is what a client sends that passes on the cursor of a last page.
  return {
    limit: limitOf(limit),
    limitIsDefault: limit === undefined,
    cursor: cursor === undefined || cursor === '' ? null : cursor,
  };
}

function limitOf(limit: unknown): number {
  if (limit === undefined || limit === '') return defaultLimit;
  if (typeof limit !== 'string' || !/^-?\d{1,15}$/.test(limit))
    throw new AppError('argument_invalid', { detail: `limit must be a whole number from 1 to ${maxLimit}` });
  return Math.min(Math.max(Number(limit), 1), maxLimit);
}
