import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsArray, IsIn, IsObject, IsOptional, IsString, MaxLength } from 'class-validator';
import {
  type BulkAction,
  bulkActions,
  type BulkItem,
  type BulkOperation,
  bulkStates,
  type BulkTerms,
} from '../../bulk-operations/bulk-operation.js';
import type { BulkTarget } from '../../bulk-operations/bulk-operations.service.js';
import type { BulkPreview } from '../../bulk-operations/bulk-targets.service.js';
import { plainNumberOf } from '../../decoding/exact-numbers.js';
import { AppError } from '../../errors/app-error.js';
import { instant, toBanTerms } from './agora-bans.dto.js';
import { booleanOf, type LenientBoolean } from './lenient-values.js';
import { checkBanTerms } from '../../users/ban-terms.js';
import { OptionalFlag, OptionalText } from './optional-members.js';
import type { WalkFilter } from '../../users/user-walks.service.js';

const maxPrefixLength = 255;
const whole = { type: 'integer' } as const;
const text = { type: 'string' } as const;
const time = { ...whole, description: 'Unix milliseconds' } as const;

export class BulkAgoraOperationDto {
  @ApiProperty({ enum: bulkActions })
  @IsIn(bulkActions, { message: `action must be one of ${bulkActions.join(', ')}` })
  action!: BulkAction;

  @ApiPropertyOptional({ type: [String], maxItems: 1_000, description: 'Names or uuids; instead of `filter`' })
  @IsOptional()
  @IsArray({ message: 'usernames must be a list of users' })
  @IsString({ each: true, message: 'usernames must be a list of strings' })
  usernames?: string[] | null;

  @ApiPropertyOptional({
    type: 'object',
    nullable: true,
    description: 'Users to whom all of it applies; instead of `usernames`',
    properties: {
      state: { enum: ['active', 'banned'] },
      username: { ...text, description: 'How the name begins, in any case' },
      created_from: time,
      created_to: { ...whole, description: 'Unix milliseconds, exclusive' },
    },
    additionalProperties: false,
  })
  @IsOptional()
  @IsObject({ message: 'filter must be an object' })
  filter?: Record<string, unknown> | null;

  @OptionalText({ description: 'For a ban or its end', maxLength: 1_000 })
  reason?: string | null;

  @OptionalText({ description: 'For a ban: only staff sees it', maxLength: 1_000 })
  note?: string | null;

  @ApiPropertyOptional({
    ...instant,
    description: 'For a ban: its end, in Unix milliseconds or ISO 8601 with an offset',
  })
  @IsOptional()
  ends_at?: unknown;

  @OptionalText({ description: 'For a ban, instead of `ends_at`: `7d`, `36h`, `PT30M`', example: '7d' })
  duration?: string | null;

  @OptionalFlag({ description: 'Answers what would be changed, and changes nothing', default: false })
  dry_run?: LenientBoolean | null;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'From a dry run of a deletion' })
  @IsOptional()
  @IsString({ message: 'confirm must be a string' })
  @MaxLength(64, { message: 'confirm must be what a dry run has answered' })
  confirm?: string | null;
}

/** @throws AppError argument_invalid */
export function toBulkTarget({ usernames, filter }: BulkAgoraOperationDto): BulkTarget {
  const named = usernames ?? null;
  const filtered = filter ?? null;
  if ((named === null) === (filtered === null)) throw invalid('either usernames or filter is required');
  return { usernames: named, filter: filtered && toFilter(filtered) };
}

/** @throws AppError argument_invalid */
export function toBulkTerms(dto: BulkAgoraOperationDto, nowMs: number): BulkTerms {
  const { action, reason, note, ends_at, duration } = dto;
  if (action !== 'ban' && (note ?? ends_at ?? duration) != null)
    throw invalid('note, ends_at and duration are for a ban');
  return { action, ...checkBanTerms(toBanTerms({ reason, note, ends_at, duration }, nowMs), nowMs) };
}

export function isDryRun({ dry_run }: BulkAgoraOperationDto): boolean {
  return booleanOf(dry_run) === true;
}

export const operationSchema = {
  type: 'object',
  properties: {
    id: { ...text, description: 'As in X-Operation-Id' },
    action: { enum: [...bulkActions, 'undo'] },
    state: { enum: bulkStates },
    undoes: { ...text, description: 'The operation that an undo takes back' },
    filter: { type: 'object' },
    reason: text,
    note: text,
    ends_at: { ...whole, description: 'Of the bans, in Unix milliseconds' },
    by: { ...text, description: 'Who has asked for it, as in the audit trail' },
    created_at: time,
    finished_at: time,
    progress: {
      type: 'object',
      properties: { total: whole, done: whole, changed: whole, unchanged: whole, failed: whole },
      required: ['total', 'done', 'changed', 'unchanged', 'failed'],
    },
  },
  required: ['id', 'action', 'state', 'by', 'created_at', 'progress'],
};

export const previewSchema = {
  type: 'object',
  properties: {
    dry_run: { enum: [true] },
    action: { enum: bulkActions },
    total: { ...whole, description: 'Users and unknown names' },
    would_change: whole,
    unchanged: { ...whole, description: 'Users who are already as the action leaves them' },
    unknown: { type: 'array', items: text, description: 'Names that nobody has' },
    users: {
      type: 'array',
      maxItems: 100,
      description: 'The first of those who would be changed; before a deletion with what goes with them',
      items: { type: 'object', properties: { username: text, uuid: text } },
    },
    complete: { type: 'boolean', description: 'False: only the first 200,000 users were looked at' },
    confirm: { ...text, description: 'Of the users of a deletion: the deletion takes it as `confirm`' },
  },
};

export const resultsSchema = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      username: text,
      uuid: text,
      outcome: { enum: ['failed', 'unchanged', 'changed', 'waiting'] },
      code: { ...text, description: 'Why it has failed, or was left as it is' },
    },
    required: ['username', 'outcome'],
  },
};

export function toAgoraOperation(operation: BulkOperation): object {
  const { id, action, state, terms, filter, undoes, caller, createdAt, finishedAt, total, counts } = operation;
  const { changed, unchanged, failed } = counts;
  return {
    ...{ id: String(id), action, state },
    ...(undoes === null ? {} : { undoes: String(undoes) }),
    ...(filter === null ? {} : { filter: toAgoraFilter(filter) }),
    ...(terms?.reason == null ? {} : { reason: terms.reason }),
    ...(terms?.note == null ? {} : { note: terms.note }),
    ...(terms?.endsAt == null ? {} : { ends_at: terms.endsAt }),
    by: caller.id === '' ? caller.type : `${caller.type}:${caller.id}`,
    created_at: createdAt,
    ...(finishedAt === null ? {} : { finished_at: finishedAt }),
    progress: { total, done: changed + unchanged + failed, changed, unchanged, failed },
  };
}

export function toAgoraPreview(action: BulkAction, preview: BulkPreview): object {
  const { total, wouldChange, unchanged, unknown, first, complete, confirmation } = preview;
  return {
    ...{ dry_run: true, action, total, would_change: wouldChange, unchanged, unknown },
    users: first.map(toAgoraBelongings),
    complete,
    ...(confirmation === null ? {} : { confirm: confirmation }),
  };
}

/** A user, with what would be deleted together with it if that was asked for. */
export function toAgoraBelongings(one: BulkPreview['first'][number]): object {
  const { username, uuid } = one.user;
  if (!('groups' in one)) return { username, uuid };
  return { username, uuid, groups: one.groups, chatrooms: one.rooms, offline_msg_count: one.offlineMessages };
}

export function toAgoraResult({ target, userUuid, outcome, code }: BulkItem): object {
  return {
    username: target,
    ...(userUuid === null ? {} : { uuid: userUuid }),
    outcome,
    ...(code === null ? {} : { code }),
  };
}

/** An unknown member would make the operation concern more users than its caller means. */
function toFilter(filter: Record<string, unknown>): WalkFilter {
  const { state, username, created_from, created_to, ...others } = filter;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw invalid(`filter has no ${unknown}: it takes state, username, created_from and created_to`);
  if (state !== undefined && state !== 'active' && state !== 'banned')
    throw invalid('filter.state must be active or banned');
  if (username !== undefined && (typeof username !== 'string' || !/^[\w.@-]+$/.test(username)))
    throw invalid(`filter.username must be how names begin, in at most ${maxPrefixLength} characters`);
  if (typeof username === 'string' && username.length > maxPrefixLength)
    throw invalid(`filter.username must have at most ${maxPrefixLength} characters`);
  const from = timeOf('created_from', created_from);
  const below = timeOf('created_to', created_to);
  if (from !== undefined && below !== undefined && from >= below)
    throw invalid('filter.created_from must be before filter.created_to');
  return { state, username, ...(from === undefined && below === undefined ? {} : { created: { from, below } }) };
}

function toAgoraFilter({ state, username, created }: WalkFilter): object {
  return { state, username, created_from: created?.from, created_to: created?.below };
}

function timeOf(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const number = plainNumberOf(value) ?? value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw invalid(`filter.${name} must be a time in Unix milliseconds`);
}

function invalid(detail: string): AppError {
  return new AppError('argument_invalid', { detail });
}
