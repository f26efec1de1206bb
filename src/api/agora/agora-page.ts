import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors/app-error.js';
import { describedParameter } from '../../http/described-parameter.js';

/** How the size of a page is named, and what it may be. */
export interface PageSize {
  readonly member: string;
  readonly default: number;
  readonly max: number;
  /** What a larger one is refused with, where it is not moved into the range. */
  readonly tooLarge?: string;
}

const usual: PageSize = { member: 'limit', default: 10, max: 100 };

export interface AgoraPage {
  /** From 1 to the maximum. */
  readonly limit: number;
  /** Whether the caller has named no limit. */
  readonly limitIsDefault: boolean;
  /** null: the first page. */
  readonly cursor: string | null;
}

const readPage = createParamDecorator((size: PageSize, context: ExecutionContext) =>
  pageOf(context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>, size),
);

/** The parameter of a list that says which page is wanted. */
export const Page = (size: PageSize = usual): ParameterDecorator =>
  describedParameter(
    readPage(size),
    ApiQuery({ name: size.member, required: false, description: `1 to ${size.max}, default ${size.default}` }),
    ApiQuery({ name: 'cursor', required: false, description: 'From the page before' }),
  );

/**
 * `limit` and `cursor` of a list. A limit out of range is moved into it, as the vendor mostly does; text that is no
 * whole number is refused. Unknown members are ignored: SDKs send some.
 * @throws AppError argument_invalid, cursor_invalid
 */
export function pageOf(query: Record<string, unknown>, size: PageSize = usual): AgoraPage {
  const { [size.member]: limit, cursor } = query;
  if (cursor !== undefined && typeof cursor !== 'string') throw new AppError('cursor_invalid');
  // An empty cursor is what a client sends that passes on the cursor of a last page.
  return {
    limit: limitOf(limit, size),
    limitIsDefault: limit === undefined,
    cursor: cursor === undefined || cursor === '' ? null : cursor,
  };
}

/** @throws AppError argument_invalid */
export function limitOf(limit: unknown, { member, default: usually, max, tooLarge }: PageSize): number {
  if (limit === undefined || limit === '') return usually;
  if (typeof limit !== 'string' || !/^-?\d{1,15}$/.test(limit))
    throw new AppError('argument_invalid', { detail: `${member} must be a whole number from 1 to ${max}` });
  if (Number(limit) > max && tooLarge !== undefined) throw new AppError('argument_invalid', { detail: tooLarge });
  return Math.min(Math.max(Number(limit), 1), max);
}
