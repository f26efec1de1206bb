import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsDefined, IsNotEmpty, IsString } from 'class-validator';
import type { App } from '../../apps/app.js';
import { failsWith } from '../../http/json-body.pipe.js';
import { maxMuteSeconds, type MuteDurations, muteKinds, secondsLeft } from '../../mutes/mute.js';
import type { UserMute } from '../../mutes/mutes.service.js';
import { IsOptionalNumberBetween, type LenientNumber, wholeNumberOf } from './lenient-values.js';

const duration = {
  type: 'integer',
  nullable: true,
  minimum: -1,
  maximum: maxMuteSeconds,
  description: 'Seconds from now, as a number or a string; -1: permanent, 0: lift the mute',
} as const;

/** Omitted members stay unchanged. */
export class MuteAgoraUserDto {
  @ApiProperty({ example: 'user1' })
  @IsDefined(failsWith('username_missing'))
  @IsString({ message: 'username must be a string' })
  @IsNotEmpty(failsWith('username_missing'))
  username!: string;

  @ApiPropertyOptional(duration)
  @IsOptionalNumberBetween(-1, maxMuteSeconds)
  chat?: LenientNumber | null;

  @ApiPropertyOptional(duration)
  @IsOptionalNumberBetween(-1, maxMuteSeconds)
  groupchat?: LenientNumber | null;

  @ApiPropertyOptional(duration)
  @IsOptionalNumberBetween(-1, maxMuteSeconds)
  chatroom?: LenientNumber | null;
}

export function toDurations(dto: MuteAgoraUserDto): MuteDurations {
  const given = muteKinds.map((kind) => [kind, wholeNumberOf(dto[kind])] as const);
  return Object.fromEntries(given.filter(([, seconds]) => seconds !== null));
}

export function toAgoraMute(app: App, { user, mute }: UserMute, nowMs: number): object {
  return {
    userid: `${app.org}#${app.name}_${user.username}`,
    ...Object.fromEntries(muteKinds.map((kind) => [kind, secondsLeft(mute[kind], nowMs)])),
    unixtime: toSeconds(nowMs),
  };
}

/** One object per user and kind of mute, as in the vendor's API. */
export function toAgoraMutes(muted: readonly UserMute[], nowMs: number): object {
  const data = muted.flatMap(({ user, mute }) =>
    muteKinds
      .map((kind) => ({ username: user.username, [kind]: secondsLeft(mute[kind], nowMs) }))
      .filter((one) => muteKinds.some((kind) => (one[kind] ?? 0) !== 0)),
  );
  return { data, unixtime: toSeconds(nowMs) };
}

function toSeconds(ms: number): number {
  return Math.floor(ms / 1_000);
}
