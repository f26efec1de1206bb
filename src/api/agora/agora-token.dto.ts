import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsDefined, IsOptional, IsString } from 'class-validator';
import { OptionalText } from './optional-members.js';

/** The union of the four grants; each requires a subset of the members. */
export class RequestAgoraTokenDto {
  @ApiProperty({ enum: ['client_credentials', 'password', 'inherit', 'agora'], example: 'client_credentials' })
  @IsDefined({ message: 'grant_type is required: client_credentials, password, inherit or agora' })
  @IsString({ message: 'grant_type must be a string' })
  grant_type!: string;

  @OptionalText({ description: 'client_credentials: the App ID' })
  client_id?: string | null;

  @OptionalText({ description: 'client_credentials: the App certificate' })
  client_secret?: string | null;

  @OptionalText({ description: 'password, inherit: the user' })
  username?: string | null;

  @OptionalText({ description: "password: the user's password" })
  password?: string | null;

  @ApiPropertyOptional({
    type: Boolean,
    nullable: true,
    description: 'inherit: register the user if it does not exist',
  })
  @IsOptional()
  @IsBoolean({ message: 'autoCreateUser must be true or false' })
  autoCreateUser?: boolean | null;

  @ApiPropertyOptional({
    description: "Seconds, as a number or a string; 0: the maximum lifetime; default: the app's setting",
    oneOf: [
      { type: 'integer', minimum: 0 },
      { type: 'string', pattern: '^\\d+$' },
    ],
  })
  @IsOptional()
  ttl?: unknown;
}
