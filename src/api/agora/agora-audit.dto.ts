import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiProperty, ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { auditActions, type ShownEntry } from '../../audit/audit-entry.js';
import type { AuditFilter } from '../../audit/audit-log.service.js';
import { AppError } from '../../errors/app-error.js';
import { describedParameter } from '../../http/described-parameter.js';

export class AgoraAuditActor {
  @ApiProperty({ enum: ['app_token', 'user', 'anonymous', 'operator', 'command_line', 'system'] })
  type!: string;

  @ApiProperty({ type: String, nullable: true, description: 'A username, or who else it was', example: null })
  id!: string | null;
}

/** A change in the audit trail. */
export class AgoraAuditEntry implements ShownEntry {
  @ApiProperty({ description: 'As in `X-Operation-Id`', example: '890432987136032' })
  operation_id!: string;

  @ApiProperty({ description: 'Its number within the operation', example: 1 })
  seq!: number;

  @ApiProperty({ description: 'Unix milliseconds', example: 1764158396001 })
  at!: number;

  @ApiProperty()
  actor!: AgoraAuditActor;

  @ApiProperty({ type: String, nullable: true, example: '203.0.113.9' })
  address!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'As in `X-Request-Id`', example: 'b2x8Kq1z-3f' })
  request_id!: string | null;

  @ApiProperty({ enum: auditActions, example: 'user.ban' })
  action!: string;

  @ApiProperty({ type: String, nullable: true, description: 'null: several', example: 'user1' })
  target!: string | null;

  @ApiProperty({ type: String, nullable: true, format: 'uuid' })
  target_uuid!: string | null;

  @ApiProperty({ enum: ['done', 'partial'] })
  outcome!: string;

  @ApiProperty({ type: String, nullable: true, example: 'spam' })
  reason!: string | null;

  @ApiProperty({ type: Object, nullable: true, description: 'What has changed, as it was' })
  before!: ShownEntry['before'];

  @ApiProperty({ type: Object, nullable: true, description: 'What has changed, as it is since' })
  after!: ShownEntry['after'];

  @ApiProperty({ description: 'How many were changed', example: 1 })
  count!: number;
}

const readFilter = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  filterOf(context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>),
);

/** Injects what entries are asked for. */
export const AuditQuery = (): ParameterDecorator =>
  describedParameter(
    readFilter(),
    ApiQuery({ name: 'target', required: false, description: 'A username, the id of a group, or `org/app`' }),
    ApiQuery({ name: 'actor', required: false, description: '`app_token`, `user:NAME`, `command_line:NAME` …' }),
    ApiQuery({ name: 'action', required: false, enum: auditActions }),
    ApiQuery({ name: 'from', required: false, description: 'Unix milliseconds' }),
    ApiQuery({ name: 'to', required: false, description: 'Unix milliseconds, exclusive' }),
  );

/** @throws AppError argument_invalid */
function filterOf({ target, actor, action, from, to }: Record<string, unknown>): AuditFilter {
  return {
    target: textOf('target', target)?.toLowerCase(),
    actor: textOf('actor', actor)?.toLowerCase(),
    action: textOf('action', action),
    fromMs: timeOf('from', from),
    toMs: timeOf('to', to),
  };
}

function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string' || value.length > 280)
    throw new AppError('argument_invalid', { detail: `${name} must be given once, with up to 280 characters` });
  return value;
}

function timeOf(name: string, value: unknown): number | undefined {
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string' || !/^\d{1,15}$/.test(value))
    throw new AppError('argument_invalid', { detail: `${name} must be Unix milliseconds` });
  return Number(value);
}
