import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsArray, IsDefined, IsIn, IsNotEmpty, IsObject, IsOptional, IsString } from 'class-validator';
import { AppError } from '../../errors/app-error.js';
import { messageTypes } from '../../messages/message-types.js';
import { maxReceivers, type OutgoingMessage } from '../../messages/messages.service.js';

/** The sender of a message that does not name one. */
const defaultSender = 'admin';
const onlineOnly = 'ROUTE_ONLINE';
const routes = [onlineOnly, 'ROUTE_ALL', ''];

/** Members common to both forms of a message. The vendor's `sync_device` is accepted and ignored. */
class AgoraMessageDto {
  @ApiPropertyOptional({
    type: String,
    nullable: true,
    default: defaultSender,
    description: 'Need not be an existing user',
    example: 'user1',
  })
  @IsOptional()
  @IsString({ message: 'from must be a string' })
  @IsNotEmpty({ message: 'from must not be empty' })
  from?: string | null;

  @ApiPropertyOptional({ type: Object, nullable: true, description: 'Custom data, passed through to the receivers' })
  @IsOptional()
  @IsObject({ message: 'ext must be a JSON object' })
  ext?: object | null;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    enum: routes,
    description: '`ROUTE_ONLINE`: deliver only to online receivers; nothing is queued for the others',
  })
  @IsOptional()
  @IsIn(routes, { message: `routetype must be ${onlineOnly}, or be left out` })
  routetype?: string | null;
}

/** One message to up to 600 users. */
export class SendAgoraMessageDto extends AgoraMessageDto {
  @ApiProperty({ type: [String], maxItems: maxReceivers, description: 'Unknown users are not rejected' })
  @IsDefined({ message: 'to is required: a list of users' })
  @IsArray({ message: 'to must be a list of users' })
  @IsString({ each: true, message: 'to must be a list of strings' })
  to!: string[];

  @ApiProperty({ enum: messageTypes, example: 'txt' })
  @IsDefined({ message: 'type is required' })
  @IsString({ message: 'type must be a string' })
  type!: string;

  @ApiProperty({
    type: Object,
    description: 'Stored unchanged; up to 16 KiB together with `ext`',
    example: { msg: 'hello' },
  })
  @IsDefined({ message: 'body is required' })
  @IsObject({ message: 'body must be a JSON object' })
  body!: object;
}

/** The same in the older form, where `msg` holds the type along with the members of the body. */
export class SendOlderAgoraMessageDto extends AgoraMessageDto {
  @ApiProperty({ enum: ['users'] })
  @IsDefined({ message: 'target_type is required: users' })
  @IsString({ message: 'target_type must be a string' })
  target_type!: string;

  @ApiProperty({ type: [String], maxItems: maxReceivers, description: 'Unknown users are not rejected' })
  @IsDefined({ message: 'target is required: a list of users' })
  @IsArray({ message: 'target must be a list of users' })
  @IsString({ each: true, message: 'target must be a list of strings' })
  target!: string[];

  @ApiProperty({
    type: 'object',
    properties: { type: { type: 'string', enum: [...messageTypes] } },
    required: ['type'],
    additionalProperties: true,
    description: 'The type and the members of the body; up to 16 KiB together with `ext`',
    example: { type: 'txt', msg: 'hello' },
  })
  @IsDefined({ message: 'msg is required' })
  @IsObject({ message: 'msg must be a JSON object' })
  msg!: object;
}

export function toMessage(dto: SendAgoraMessageDto): OutgoingMessage {
  return { ...common(dto), to: dto.to, type: dto.type, body: dto.body };
}

/** A type that is missing or not a string counts as unknown. @throws AppError argument_invalid */
export function toMessageOfOlder(dto: SendOlderAgoraMessageDto): OutgoingMessage {
  if (dto.target_type !== 'users')
    throw new AppError('argument_invalid', {
      detail: 'target_type must be users: there are no messages to groups and rooms',
    });
  const { type, ...body } = dto.msg as { readonly type?: unknown };
  return { ...common(dto), to: dto.target, type: typeof type === 'string' ? type : '', body };
}

function common({ from, ext, routetype }: AgoraMessageDto) {
  return { from: from ?? defaultSender, ext: ext ?? undefined, onlineOnly: routetype === onlineOnly };
}
