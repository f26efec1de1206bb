import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiBody, ApiProperty, ApiQuery } from '@nestjs/swagger';
import { IsArray, IsDefined, IsString } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { parseStrictJson } from '../../decoding/strict-json.js';
import { AppError } from '../../errors/app-error.js';
import { describedParameter } from '../../http/described-parameter.js';
import { RawBody } from '../../http/raw-body.js';
import type { PresenceNotice } from '../../presence/presence-notice.js';
import { maxUsersPerCall } from '../../presence-subscriptions/presence-subscriptions.service.js';
import { wholeNumberOf } from './lenient-values.js';

const maxPageSize = 500;

export class PublishAgoraPresenceDto {
  @ApiProperty({ description: 'Up to 1,024 bytes', example: 'in a meeting' })
  @IsDefined({ message: 'ext cannot be null' })
  @IsString({ message: 'ext must be a string' })
  ext!: string;
}

export class AgoraPresenceUsersDto {
  @ApiProperty({ type: [String], minItems: 1, maxItems: maxUsersPerCall, example: ['user2', 'user3'] })
  @IsDefined({ message: 'usernames is empty' })
  @IsArray({ message: 'usernames must be a list of users' })
  @IsString({ each: true, message: 'usernames must be a list of strings' })
  usernames!: string[];
}

/** How a user is; numbers are text, as the vendor writes them. */
export class AgoraPresence {
  @ApiProperty({ description: 'The name as it was asked for', example: 'user2' })
  uid!: string;

  @ApiProperty({ description: 'Unix seconds; `0`: not known', example: '1644466063' })
  last_time!: string;

  @ApiProperty({ description: 'What was published last', example: 'in a meeting' })
  ext!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'By device: `1` online, or what was published',
    example: { android_8d2b7c: '1' },
  })
  status!: Readonly<Record<string, string>>;
}

export class AgoraSubscribedPresence extends AgoraPresence {
  @ApiProperty({ description: 'Unix seconds', example: '1645500371' })
  expiry!: string;
}

export function toAgoraPresence({ username, lastTime, ext, status }: PresenceNotice): AgoraPresence {
  return { uid: username, last_time: String(lastTime), ext, status };
}

export function toAgoraSubscribed({ username, lastTime, ext, status }: PresenceNotice, expiresAt: number) {
  return { uid: username, last_time: String(lastTime), expiry: String(expiresAt), ext, status };
}

/** `expiry` of a path, in seconds; what is no whole number is none. */
export function expiryOf(text: string): number {
  return wholeNumberOf(text) ?? NaN;
}

const readNames = createParamDecorator((_data: unknown, context: ExecutionContext): string[] => {
  const { body } = context.switchToHttp().getRequest<FastifyRequest>();
  const names = body instanceof RawBody ? parseStrictJson(body.text()) : [];
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw new AppError('argument_invalid', { detail: 'the body must be a list of users' });
  return names;
});

/** A parameter that is the body as a bare list of users. */
export const NamesBody = (): ParameterDecorator =>
  describedParameter(
    readNames(),
    ApiBody({
      schema: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: maxUsersPerCall, example: ['user2'] },
    }),
  );

export interface NumberedPage {
  /** 1 for the first. */
  readonly page: number;
  readonly size: number;
}

const readNumberedPage = createParamDecorator((_data: unknown, context: ExecutionContext): NumberedPage => {
  const query = context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>;
  return { page: numberOf(query, 'pageNum', Infinity), size: numberOf(query, 'pageSize', maxPageSize) };
});

/** The parameter of a list that says which page is wanted, by its number. */
export const NumberedPage = (): ParameterDecorator =>
  describedParameter(
    readNumberedPage(),
    ApiQuery({ name: 'pageNum', required: false, description: 'From 1, the default' }),
    ApiQuery({ name: 'pageSize', required: false, description: `1, the default, to ${maxPageSize}` }),
  );

/** What is out of range is moved into it, as with the limit of other lists. @throws AppError argument_invalid */
function numberOf(query: Record<string, unknown>, name: string, most: number): number {
  const { [name]: text = '1' } = query;
  const number = typeof text === 'string' ? wholeNumberOf(text === '' ? '1' : text) : null;
  if (number === null) throw new AppError('argument_invalid', { detail: `${name} must be a whole number from 1` });
  return Math.min(Math.max(number, 1), most);
}
