import { ApiProperty } from '@nestjs/swagger';
import { IsArray, IsDefined, IsString } from 'class-validator';
import type { Session } from '../../presence/session.js';

export class AgoraBatchStatusDto {
  @ApiProperty({ type: [String], minItems: 1, maxItems: 100, example: ['user1', 'user2'] })
  @IsDefined({ message: 'usernames is required' })
  @IsArray({ message: 'usernames must be a list' })
  @IsString({ each: true, message: 'usernames must be a list of strings' })
  usernames!: string[];
}

/** A logged-in device, as the vendor shows it. */
export class AgoraResource {
  @ApiProperty({ example: 'android_8d2b7c' })
  res!: string;

  @ApiProperty({ example: '8d2b7c' })
  device_uuid!: string;

  @ApiProperty({ example: 'my phone' })
  device_name!: string;
}

/** The same device with the members that only Rollcall adds. */
export class AgoraSession extends AgoraResource {
  @ApiProperty({ example: 'android' })
  platform!: string;

  @ApiProperty({ description: 'Unix milliseconds', example: 1764158396001 })
  since!: number;

  @ApiProperty({ description: 'The node that holds the connection, with the epoch of its lease' })
  node!: string;
}

export function toAgoraResource({ resource, platform, deviceName }: Session): AgoraResource {
  return { res: resource, device_uuid: resource.slice(platform.length + 1), device_name: deviceName };
}

export function toAgoraSession(session: Session): AgoraSession {
  const { platform, since, node } = session;
  return { ...toAgoraResource(session), platform, since: Math.floor(since / 1_000), node };
}
