import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { AppError } from '../../errors/app-error.js';
import type { BanTerms } from '../../users/ban-terms.js';
import { readDuration, readInstant } from '../../users/ban-times.js';
import type { BannedUser, BanRecord, EffectiveBan } from '../../users/bans.service.js';
import { AgoraReasonDto, toAgoraUser } from './agora-users.dto.js';
import { OptionalText } from './optional-members.js';

export const instant = {
  oneOf: [{ type: 'integer' }, { type: 'string' }],
  nullable: true,
  description: 'Unix milliseconds, or ISO 8601 with an offset',
};

/** A ban beyond the vendor's API: nothing given is a ban for ever, at once. */
export class BanAgoraUserDto extends AgoraReasonDto {
  @OptionalText({ maxLength: 1000, description: 'For staff only', example: 'ticket 4711' })
  note?: string | null;

  @ApiPropertyOptional({ ...instant, example: '2027-01-01T00:00:00Z' })
  @IsOptional()
  starts_at?: unknown;

  @ApiPropertyOptional({ ...instant, example: '2027-01-08T00:00:00Z' })
  @IsOptional()
  ends_at?: unknown;

  @OptionalText({ description: 'Instead of `ends_at`: 7d, 36h, 1d12h, or ISO 8601 as PT30M', example: '7d' })
  duration?: string | null;
}

/** @throws AppError argument_invalid */
export function toBanTerms(dto: Partial<BanAgoraUserDto>, nowMs: number): BanTerms {
  const { reason = null, note = null, starts_at, ends_at, duration } = dto;
  if (ends_at != null && duration != null)
    throw new AppError('argument_invalid', { detail: 'ends_at and duration exclude each other: give one of them' });
  const startsAt = starts_at == null ? null : readInstant('starts_at', starts_at);
  const endsAt =
    duration == null
      ? ends_at == null
        ? null
        : readInstant('ends_at', ends_at)
      : Math.max(startsAt ?? nowMs, nowMs) + readDuration(duration);
  return { reason, note, startsAt, endsAt };
}

/** The ban in force, or the planned one; `{active: false}` without either. */
export function toAgoraBan({ state, endsAt, record, nowMs }: EffectiveBan): object {
  if (state === 'none') return { active: false };
  const active = state === 'active';
  return {
    active,
    since: active ? (record?.startsAt ?? null) : null,
    starts_at: record?.startsAt ?? null,
    ends_at: endsAt,
    lifts_in_s: active && endsAt !== null ? Math.ceil((endsAt - nowMs) / 1_000) : null,
    reason: record?.reason ?? null,
    ...(record?.note == null ? {} : { note: record.note }),
    by: record?.by ?? null,
    source: record?.source ?? null,
  };
}

/** A ban of the history. */
export function toAgoraBanRecord(ban: BanRecord): object {
  return {
    state: ban.state,
    starts_at: ban.startsAt,
    ends_at: ban.endsAt,
    reason: ban.reason,
    ...(ban.note === null ? {} : { note: ban.note }),
    by: ban.by,
    source: ban.source,
    created_at: ban.createdAt,
    lifted_at: ban.liftedAt,
    lifted_by: ban.liftedBy,
    lift_reason: ban.liftReason,
  };
}

/** A user as in every list, and its ban. */
export function toBannedAgoraUser({ user, ban }: BannedUser): object {
  const { starts_at, ends_at, reason, by, source } = toAgoraBanRecord(ban) as Record<string, unknown>;
  return { ...toAgoraUser(user), ban: { starts_at, ends_at, reason, by, source } };
}
