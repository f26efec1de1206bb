import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOkResponse, ApiOperation, ApiQuery, ApiResponse, ApiSecurity } from '@nestjs/swagger';

/** The security schemes of the dialect; the spelling with underscores works as well. */
export const qiscusSecurity = {
  appId: 'QISCUS-SDK-APP-ID',
  secret: 'QISCUS-SDK-SECRET',
  token: 'QISCUS-SDK-TOKEN',
} as const;

const text = { type: 'string' };
const whole = { type: 'integer' };
const texts = { type: 'array', items: text };

/** Everything that a request of the dialect may carry, for the document. */
const parameters = {
  user_id: { ...text, maxLength: 255, pattern: '^[A-Za-z0-9._@-]+$' },
  username: { ...text, maxLength: 255, description: 'The display name' },
  email: { ...text, maxLength: 255, description: 'The user id' },
  password: { ...text, description: 'Up to 64 bytes of UTF-8' },
  identity_token: text,
  refresh_token: text,
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
  required: [...Object.keys(content), 'status'],
});

const failureWith = (code: object): object =>
  envelope({
    error: {
      type: 'object',
      properties: {
        ...code,
        detailed_messages: texts,
        errors: { type: 'object', additionalProperties: texts },
        message: text,
      },
      required: ['message'],
    },
  });
const failureOfServerCall = failureWith({});
const failureOfClientCall = failureWith({ code: { ...whole, description: "The vendor's number, where it has one" } });

/** Describes the `results` of a route's success by their members. */
export function QiscusResults(properties: Readonly<Record<string, object>>): MethodDecorator {
  const results = { type: 'object', properties, required: Object.keys(properties) };
  return ApiOkResponse({ schema: envelope({ results }) });
}

/**
 * Describes how a route is called. A name that ends in `!` is required.
 * @param by what the caller shows beside the App ID
 */
export function QiscusRoute(
  by: 'secret' | 'token' | 'nothing',
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
  const userHeaders =
    by === 'token'
      ? ['QISCUS-SDK-USER-ID', 'QISCUS-SDK-USER-EMAIL'].map((name) =>
          ApiHeader({ name, required: false, description: 'Whose token it must be; phones with Android say EMAIL' }),
        )
      : [];
  const failure = by === 'secret' ? failureOfServerCall : failureOfClientCall;
  return applyDecorators(
    ApiOperation({ summary }),
    ApiSecurity({ [qiscusSecurity.appId]: [], ...(by === 'nothing' ? {} : { [qiscusSecurity[by]]: [] }) }),
    ...carried,
    ...userHeaders,
    ApiResponse({ status: '4XX', description: 'The call was refused: docs/errors.md', schema: failure }),
    ApiResponse({ status: '5XX', description: 'Try again later', schema: failure }),
  );
}
