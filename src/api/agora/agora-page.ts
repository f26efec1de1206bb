import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors/app-error.js';
import { describedParameter } from '../../http/described-parameter.js';

/** The name and bounds of the page size parameter. */
export interface PageSize {
  readonly member: string;
  readonly default: number;
  readonly max: number;
  /** The error text for a larger one, if it is rejected rather than clamped. */
  readonly tooLarge?: string;
}

const usual: PageSize = { member: 'limit', default: 10, max: 100 };

export interface AgoraPage {
  /** From 1 to the maximum. */
  readonly limit: number;
  /** Whether the caller gave no limit. */
  readonly limitIsDefault: boolean;
  /** null: the first page. */
  readonly cursor: string | null;
}

const readPage = createParamDecorator((size: PageSize, context: ExecutionContext) =>
  pageOf(context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>, size),
);

/** Injects the requested page of a list. */
export const Page = (size: PageSize = usual): ParameterDecorator =>
  describedParameter(
    readPage(size),
    ApiQuery({ name: size.member, required: false, description: `1 to ${size.max}, default ${size.default}` }),
    ApiQuery({ name: 'cursor', required: false, description: 'The cursor of the previous page' }),
  );

/**
 * `limit` and `cursor` of a list. A limit out of range is clamped, as the vendor mostly does; text that is not a whole
 * number is rejected. Unknown members are ignored: SDKs send some.
 * @throws AppError argument_invalid, cursor_invalid
 */
export function pageOf(query: Record<string, unknown>, size: PageSize = usual): AgoraPage {
  const { [size.member]: limit, cursor } = query;
  if (cursor !== undefined && typeof cursor !== 'string') throw new AppError('cursor_invalid');
  // A client that passes on the last page's cursor sends an empty one.
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
