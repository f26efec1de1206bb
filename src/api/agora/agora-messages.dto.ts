import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsArray, IsDefined, IsNotEmpty, IsObject, IsOptional, IsString } from 'class-validator';
import { messageTypes } from '../../messages/message-types.js';
import { maxReceivers } from '../../messages/messages.service.js';

/** One message to up to 600 users. `routetype` and `sync_device` of the vendor are taken and mean nothing here. */
export class SendAgoraMessageDto {
  @ApiPropertyOptional({
    type: String,
    nullable: true,
    default: 'admin',
    description: 'Need not be a user',
    example: 'user1',
  })
  @IsOptional()
  @IsString({ message: 'from must be a string' })
  @IsNotEmpty({ message: 'from must not be empty' })
  from?: string | null;

  @ApiProperty({ type: [String], maxItems: maxReceivers, description: 'Names that nobody has are not refused' })
  @IsDefined({ message: 'to is required: a list of users' })
  @IsArray({ message: 'to must be a list of users' })
  @IsString({ each: true, message: 'to must be a list of strings' })
  to!: string[];

  @ApiProperty({ enum: messageTypes, example: 'txt' })
  @IsDefined({ message: 'type is required' })
  @IsString({ message: 'type must be a string' })
  type!: string;

  @ApiProperty({ type: Object, description: 'Kept as it is; with ext up to 16 KiB', example: { msg: 'hello' } })
  @IsDefined({ message: 'body is required' })
  @IsObject({ message: 'body must be a JSON object' })
  body!: object;

  @ApiPropertyOptional({ type: Object, nullable: true, description: 'Whatever the clients agree on' })
  @IsOptional()
  @IsObject({ message: 'ext must be a JSON object' })
  ext?: object | null;
}
