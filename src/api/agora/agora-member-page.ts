import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { describedParameter } from '../../http/described-parameter.js';
import { type AgoraOptionalPage, describedOptionalPage, optionalPageOf } from './agora-numbered-page.js';
import { type AgoraPage, pageOf } from './agora-page.js';

export interface AgoraMemberPage {
  /** null: version 3 was not requested. */
  readonly v3: AgoraPage | null;
  readonly numbered: AgoraOptionalPage;
}

const readPage = createParamDecorator((_data: unknown, context: ExecutionContext): AgoraMemberPage => {
  const query = context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>;
  const { version, limit = query['pagesize'], cursor } = query;
  return version === 'v3'
    ? { v3: pageOf({ limit, cursor }), numbered: optionalPageOf({}) }
    : { v3: null, numbered: optionalPageOf(query) };
});

/** Injects the requested page of a member list, in whichever of the vendor's forms was requested. */
export const MemberPage = (): ParameterDecorator =>
  describedParameter(
    readPage(),
    ApiQuery({ name: 'version', required: false, description: '`v3`: return pages of usernames, without the owner' }),
    ApiQuery({ name: 'limit', required: false, description: 'Version 3 only: 1 to 100, default 10' }),
    ApiQuery({ name: 'cursor', required: false, description: 'Version 3 only: the cursor of the previous page' }),
    ...describedOptionalPage,
  );
