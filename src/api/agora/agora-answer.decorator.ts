import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiProperty, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { AgoraUser } from './agora-users.dto.js';

/** What every failure of the dialect looks like, for the document. */
export class AgoraError {
  @ApiProperty({ example: 'service_resource_not_found' })
  error!: string;

  @ApiProperty({ example: 'UserNotFoundException' })
  exception!: string;

  @ApiProperty({ description: 'Unix milliseconds' })
  timestamp!: number;

  @ApiProperty({ description: 'Milliseconds' })
  duration!: number;

  @ApiProperty({ example: 'Service resource not found' })
  error_description!: string;
}

const text = { type: 'string' };
const whole = { type: 'integer' };

const members = {
  action: text,
  application: { ...text, format: 'uuid' },
  path: text,
  uri: text,
  params: { type: 'object', additionalProperties: { type: 'array', items: text } },
  entities: { type: 'array', items: { $ref: getSchemaPath(AgoraUser) } },
  timestamp: { ...whole, description: 'Unix milliseconds' },
  duration: { ...whole, description: 'Milliseconds' },
  organization: text,
  applicationName: text,
  cursor: { ...text, description: 'Where the next page begins; absent on the last one' },
  count: whole,
  refused: {
    type: 'array',
    items: { type: 'object', properties: { username: text, registerUserFailReason: text } },
    description: 'Who exists already',
  },
} as const;

/** Describes the answers of a route by the members of its success, in their order. */
export function AgoraAnswer(...names: (keyof typeof members)[]): MethodDecorator {
  const properties = Object.fromEntries(names.map((name) => [name === 'refused' ? 'data' : name, members[name]]));
  const required = Object.keys(properties).filter((name) => name !== 'cursor');
  return applyDecorators(
    ApiExtraModels(AgoraUser, AgoraError),
    ApiOkResponse({ schema: { type: 'object', properties, required } }),
    ApiResponse({ status: '4XX', description: 'The call was refused: docs/errors.md', type: AgoraError }),
    ApiResponse({ status: '5XX', description: 'Try again later', type: AgoraError }),
  );
}
