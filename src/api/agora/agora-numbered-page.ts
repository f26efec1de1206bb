import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { PageNumber } from '../../cursors/page-number.js';
import { describedParameter } from '../../http/described-parameter.js';
import { limitOf } from './agora-page.js';

/** An optional page by `pagenum` and `pagesize`, as older routes spell them. */
export interface AgoraOptionalPage {
  /** null: no page was requested. */
  readonly page: PageNumber | null;
  /** What the caller sent, as Usergrid echoes it; null if nothing. */
  readonly params: Readonly<Record<string, readonly [string]>> | null;
}

type Query = Readonly<Record<string, unknown>>;

/** High, because a client that gets fewer than it requested takes that page for the last one. */
const maxOptionalSize = 1_000;
const maxPage = 1_000_000;
const defaultSize = 10;

function queryOf(context: ExecutionContext): Query {
  return context.switchToHttp().getRequest<FastifyRequest>().query as Query;
}

const readPage = createParamDecorator(
  (size: { max: number; default: number }, context: ExecutionContext): PageNumber => {
    const { pageNum, pageSize } = queryOf(context);
    return {
      page: limitOf(pageNum, { member: 'pageNum', default: 1, max: maxPage }),
      size: limitOf(pageSize, { member: 'pageSize', ...size }),
    };
  },
);

/** Injects the page requested by `pageNum` and `pageSize`. */
export const NumberedPage = (max: number, byDefault = defaultSize): ParameterDecorator =>
  describedParameter(
    readPage({ max, default: byDefault }),
    ApiQuery({ name: 'pageNum', required: false, description: 'Starts at 1 (default)' }),
    ApiQuery({ name: 'pageSize', required: false, description: `1 to ${max}, default ${byDefault}` }),
  );

const readOptionalPage = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  optionalPageOf(queryOf(context)),
);

export const describedOptionalPage = [
  ApiQuery({ name: 'pagenum', required: false, description: 'Starts at 1' }),
  ApiQuery({ name: 'pagesize', required: false, description: `1 to ${maxOptionalSize}, default ${defaultSize}` }),
];

/** Injects the requested page of a list that is returned whole if no page is requested. */
export const OptionalNumberedPage = (): ParameterDecorator =>
  describedParameter(readOptionalPage(), ...describedOptionalPage);

/**
 * `pagenum` and `pagesize` of a list. A number out of range is clamped.
 * @throws AppError argument_invalid for text that is not a whole number
 */
export function optionalPageOf({ pagenum, pagesize }: Query): AgoraOptionalPage {
  if (pagenum === undefined && pagesize === undefined) return { page: null, params: null };
  const page = limitOf(pagenum, { member: 'pagenum', default: 1, max: maxPage });
  const size = limitOf(pagesize, { member: 'pagesize', default: defaultSize, max: maxOptionalSize });
  return { page: { page, size }, params: { pagenum: [String(page)], pagesize: [String(size)] } };
}
