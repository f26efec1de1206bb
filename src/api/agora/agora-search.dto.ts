import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors/app-error.js';
import { describedParameter } from '../../http/described-parameter.js';
import type { FoundUser } from '../../user-search/user-search.service.js';
import {
  type SortField,
  sortFields,
  type UserQuery,
  type UserState,
  userStates,
} from '../../user-search/user-query.js';
import type { TimeRange } from '../../users/user-ranges.service.js';
import { AgoraUser, toAgoraUser } from './agora-users.dto.js';

const maxPrefixLength = 255;
const sorts = sortFields.flatMap((field) => [field, `-${field}`]);
const time = { required: false, schema: { type: 'integer' } } as const;

/** A user that was found: as every route returns it, and what the staff asks for. */
export class AgoraFoundUser extends AgoraUser {
  @ApiProperty({ enum: ['active', 'banned'] })
  state!: 'active' | 'banned';

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Unix milliseconds: when the ban of a banned user ends, if it does',
  })
  ban_ends_at?: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Unix milliseconds, up to five minutes old for a user who is online; null: never',
  })
  last_seen!: number | null;

  @ApiProperty()
  online!: boolean;
}

export function toAgoraFoundUser({ user, lastSeenAt, online }: FoundUser): AgoraFoundUser {
  const endsAt = user.activated ? null : (user.ban?.endsAt ?? null);
  return {
    ...{ ...toAgoraUser(user), state: user.activated ? 'active' : 'banned' },
    ...(endsAt === null ? {} : { ban_ends_at: endsAt }),
    ...{ last_seen: lastSeenAt, online },
  };
}

const readQuery = createParamDecorator((_data: unknown, context: ExecutionContext): UserQuery =>
  toUserQuery(context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>),
);

/** Injects the filters and the order of a search for users. */
export const SearchQuery = (): ParameterDecorator =>
  describedParameter(
    readQuery(),
    ApiQuery({ name: 'username', required: false, description: 'How the name begins, in any case' }),
    ApiQuery({ name: 'nickname', required: false, description: 'How the nickname begins, in any case' }),
    ApiQuery({ name: 'state', required: false, enum: userStates }),
    ApiQuery({ name: 'created_from', ...time, description: 'Unix milliseconds' }),
    ApiQuery({ name: 'created_to', ...time, description: 'Unix milliseconds, exclusive' }),
    ApiQuery({ name: 'last_seen_from', ...time, description: 'Unix milliseconds' }),
    ApiQuery({ name: 'last_seen_to', ...time, description: 'Unix milliseconds, exclusive' }),
    ApiQuery({ name: 'sort', required: false, enum: sorts, description: '`-`: descending' }),
  );

/** Empty parameters are as if they were missing. @throws AppError argument_invalid */
export function toUserQuery(query: Record<string, unknown>): UserQuery {
  const sort = oneOf(query, 'sort', sorts);
  return {
    filter: {
      username: textOf(query, 'username'),
      nickname: textOf(query, 'nickname'),
      state: oneOf(query, 'state', userStates) as UserState | undefined,
      created: rangeOf(query, 'created'),
      lastSeen: rangeOf(query, 'last_seen'),
    },
    sort: sort === undefined ? null : { by: sort.replace('-', '') as SortField, descending: sort.startsWith('-') },
  };
}

function textOf(query: Record<string, unknown>, name: string): string | undefined {
  const text = query[name];
  if (text === undefined || text === '') return undefined;
  if (typeof text !== 'string' || text.length > maxPrefixLength || text.includes('\0'))
    throw new AppError('argument_invalid', { detail: `${name} must be text of up to ${maxPrefixLength} characters` });
  return text;
}

function oneOf(query: Record<string, unknown>, name: string, allowed: readonly string[]): string | undefined {
  const text = textOf(query, name);
  if (text === undefined || allowed.includes(text)) return text;
  throw new AppError('argument_invalid', { detail: `${name} must be one of ${allowed.join(', ')}` });
}

function rangeOf(query: Record<string, unknown>, name: string): TimeRange | undefined {
  const [from, below] = ['from', 'to'].map((end) => timeOf(query, `${name}_${end}`));
  return from === undefined && below === undefined ? undefined : { from, below };
}

function timeOf(query: Record<string, unknown>, name: string): number | undefined {
  const text = textOf(query, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw new AppError('argument_invalid', { detail: `${name} must be a time in Unix milliseconds` });
  return Number(text);
}
