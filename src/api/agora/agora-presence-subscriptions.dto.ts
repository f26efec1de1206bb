import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiBody, ApiProperty } from '@nestjs/swagger';
import { IsArray, IsDefined, IsString } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { parseStrictJson } from '../../decoding/strict-json.js';
import { AppError } from '../../errors/app-error.js';
import { describedParameter } from '../../http/described-parameter.js';
import { RawBody } from '../../http/raw-body.js';
import type { PresenceNotice } from '../../presence/presence-notice.js';
import { maxUsersPerCall } from '../../presence-subscriptions/presence-subscriptions.service.js';
import { wholeNumberOf } from './lenient-values.js';

export const maxPageSize = 500;

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

/** A user's presence; numbers are strings, as in the vendor's API. */
export class AgoraPresence {
  @ApiProperty({ description: 'The name as written in the request', example: 'user2' })
  uid!: string;

  @ApiProperty({ description: 'Unix seconds; `0`: unknown', example: '1644466063' })
  last_time!: string;

  @ApiProperty({ description: 'The last published extension', example: 'in a meeting' })
  ext!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'By device: `1` for online, or the published status',
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

/** `expiry` from the path, in seconds; NaN if it is not a whole number. */
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

/** Injects the body as a bare list of users. */
export const NamesBody = (): ParameterDecorator =>
  describedParameter(
    readNames(),
    ApiBody({
      schema: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: maxUsersPerCall, example: ['user2'] },
    }),
  );
