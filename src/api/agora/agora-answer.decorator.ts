import { applyDecorators } from '@nestjs/common';
import {
  ApiExtraModels,
  ApiOkResponse,
  ApiProperty,
  ApiPropertyOptional,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';
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

  @ApiPropertyOptional({ description: "The vendor's number, where it has one", example: 14007 })
  error_code?: number;

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
  'cursor?': { ...text, description: 'Where the next page begins; absent on the last one' },
  count: whole,
  properties: { type: 'object', maxProperties: 0 },
  refused: {
    type: 'array',
    items: { type: 'object', properties: { username: text, registerUserFailReason: text } },
    description: 'Who exists already',
  },
} as const;

type Member = keyof typeof members | Readonly<Record<string, object>>;

/**
 * Describes the answers of a route by the members of its success, in their order: by name, or where a route has its own,
 * with the schema. One that ends in `?` may be absent.
 */
export function AgoraAnswer(...ofSuccess: Member[]): MethodDecorator {
  const properties: Record<string, object> = {};
  const required: string[] = [];
  for (const member of ofSuccess)
    for (const [said, schema] of typeof member === 'object'
      ? Object.entries(member)
      : ([[member, members[member]]] as const)) {
      const name = said === 'refused' ? 'data' : said.replace('?', '');
      properties[name] = schema;
      if (!said.endsWith('?')) required.push(name);
    }
  return applyDecorators(
    ApiExtraModels(AgoraUser, AgoraError),
    ApiOkResponse({ schema: { type: 'object', properties, required } }),
    ApiResponse({ status: '4XX', description: 'The call was refused: docs/errors.md', type: AgoraError }),
    ApiResponse({ status: '5XX', description: 'Try again later', type: AgoraError }),
  );
}
