import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { describedParameter } from '../../http/described-parameter.js';
import { type AgoraPage, pageOf } from './agora-page.js';

const size = { member: 'pageSize', default: 50, max: 50 };
/** The limit when no page is requested. */
const unpaged = 500;

const readPage = createParamDecorator((_data: unknown, context: ExecutionContext): AgoraPage => {
  const page = pageOf(context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>, size);
  return page.limitIsDefault && page.cursor === null ? { ...page, limit: unpaged } : page;
});

/** Injects the requested page of a list of blocked or muted users. */
export const ListPage = (): ParameterDecorator =>
  describedParameter(
    readPage(),
    ApiQuery({ name: 'pageSize', required: false, description: `1 to ${size.max}; if omitted, the first ${unpaged}` }),
    ApiQuery({ name: 'cursor', required: false, description: 'The cursor of the previous page' }),
  );
