import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiQuery, ApiResponse, ApiSecurity } from '@nestjs/swagger';

/** The security schemes of the server API; the spelling with underscores works as well. */
export const qiscusSecurity = { appId: 'QISCUS-SDK-APP-ID', secret: 'QISCUS-SDK-SECRET' } as const;

const text = { type: 'string' };
const whole = { type: 'integer' };
const texts = { type: 'array', items: text };

/** Everything that a request of the dialect may carry, for the document. */
const parameters = {
  user_id: { ...text, maxLength: 255, pattern: '^[A-Za-z0-9._@-]+$' },
  username: { ...text, maxLength: 255, description: 'The display name' },
  password: { ...text, description: 'Up to 64 bytes of UTF-8' },
  avatar_url: text,
  extras: { type: 'object', additionalProperties: true, description: 'Or the same as JSON text' },
  user_ids: texts,
  page: { ...whole, description: 'Default 1' },
  limit: whole,
  order_query: { ...text, example: 'created_at desc nulls last' },
  show_all: { type: 'boolean' },
  start_time: { ...text, example: '2026-01-31 23:59:59', description: 'UTC, included' },
  end_time: { ...text, example: '2026-01-31 23:59:59', description: 'UTC, included' },
} as const;

type Parameter = keyof typeof parameters;

const envelope = (content: object): object => ({
  type: 'object',
  properties: { ...content, status: { ...whole, description: 'The same as the status of HTTP' } },
});

/** Describes a route of the server API. A name that ends in `!` is required. */
export function QiscusRoute(
  method: 'query' | 'body',
  summary: string,
  ...names: (Parameter | `${Parameter}!`)[]
): MethodDecorator {
  const wanted = names.map((name) => ({ name: name.replace('!', '') as Parameter, required: name.endsWith('!') }));
  const carried =
    method === 'query'
      ? wanted.map(({ name, required }) => ApiQuery({ name, required, schema: parameters[name] as object }))
      : [
          ApiBody({
            schema: {
              type: 'object',
              properties: Object.fromEntries(wanted.map(({ name }) => [name, parameters[name]])),
              required: wanted.flatMap(({ name, required }) => (required ? name : [])),
            },
          }),
        ];
  const failure = { message: text, detailed_messages: texts, errors: { type: 'object', additionalProperties: texts } };
  return applyDecorators(
    ApiOperation({ summary }),
    ApiSecurity({ [qiscusSecurity.appId]: [], [qiscusSecurity.secret]: [] }),
    ...carried,
    ApiOkResponse({ schema: envelope({ results: { type: 'object', additionalProperties: true } }) }),
    ApiResponse({
      status: '4XX',
      description: 'The call was refused: docs/errors.md',
      schema: envelope({ error: { type: 'object', properties: failure, required: ['message'] } }),
    }),
  );
}
