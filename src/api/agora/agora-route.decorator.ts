import {
  applyDecorators,
  type CanActivate,
  HttpCode,
  RequestMapping,
  RequestMethod,
  SetMetadata,
  type Type,
} from '@nestjs/common';
import {
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';
import { AccessBy } from '../../http/access.guard.js';
import { ShowExamples } from '../../http/call-examples.js';
import { Idempotent } from '../../http/idempotency.js';
import { RateLimit } from '../../rate-limit/rate-limit.decorator.js';
import type { RatePool } from '../../rate-limit/rate-limits.service.js';
import { type AgoraAnswer, answerMetadata } from './agora-call.js';
import { type AgoraExample, completeExamples } from './agora-examples.js';
import { AgoraUser } from './agora-users.dto.js';

/** The dialect's error body, for the API document. */
export class AgoraError {
  @ApiProperty({ example: 'service_resource_not_found' })
  error!: string;

  @ApiProperty({ example: 'UserNotFoundException' })
  exception!: string;

  @ApiProperty({ description: 'Unix milliseconds' })
  timestamp!: number;

  @ApiProperty({ description: 'Milliseconds' })
  duration!: number;

  @ApiPropertyOptional({ description: "The vendor's error code, if it has one", example: 14007 })
  error_code?: number;

  @ApiProperty({ example: 'Service resource not found' })
  error_description!: string;

  @ApiPropertyOptional({ description: 'Unix milliseconds: when the ban of the user ends, if it does' })
  until?: number;
}

const text = { type: 'string' };
const whole = { type: 'integer' };

/** Schemas of the members that several routes share. */
const commonSchemas: Readonly<Record<string, object>> = {
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
  cursor: { ...text, description: 'The start of the next page; absent on the last page' },
  count: whole,
  properties: { type: 'object', maxProperties: 0 },
};

export interface AgoraRouteOptions {
  /** Calls per second per app; null: the handler counts them itself. Default: 100. */
  readonly limit?: number | null;
  /** Which calls are counted together: see `RatePool`. */
  readonly pool?: RatePool;
  /** Replaces the controller's guard. */
  readonly guard?: Type<CanActivate>;
  /** The route changes state and accepts an Idempotency-Key: its handler runs inside `call.once`. */
  readonly idempotent?: boolean;
  /** The members `action` and `path`, if they are not the verb and the requested path. */
  readonly action?: string;
  readonly path?: string;
  /** What `uri` ends in, if not the member `path`. */
  readonly uri?: 'as called';
  /** The members of a success in wire order. One that ends in `?` is optional. */
  readonly answer: string;
  /** Schemas of members that only this route has, or that mean something else here. */
  readonly schemas?: Readonly<Record<string, object>>;
  /** The route's own error body (`agora-error-styles.ts`), if it differs from all others. */
  readonly errors?: Type;
  /** For the API document, keyed by what each one shows; the first one prefills the page's form. */
  readonly examples?: Readonly<Record<string, AgoraExample>>;
  /** For OpenAPI, if it differs from the controller's. */
  readonly security?: Record<string, string[]>[];
}

/**
 * Declares a route of the dialect in one place: the route itself, its access and rate limit, the order of its answer,
 * and its part of the API document. Its parameters declare its input: `@JsonBody`, `@Page`.
 * The handler returns `call.answer(…)` with the members that the call itself cannot supply.
 * @param route verb and path below the app: `GET users/:username`
 */
export function AgoraRoute(route: string, summary: string, options: AgoraRouteOptions): MethodDecorator {
  const [verb = '', path = ''] = route.split(' ');
  const members = options.answer.split(' ').map((written) => ({
    name: written.replace('?', ''),
    optional: written.endsWith('?'),
  }));
  const answer: AgoraAnswer = {
    members,
    action: options.action ?? verb.toLowerCase(),
    path: options.path ?? null,
    uriAsCalled: options.uri === 'as called',
  };
  const { limit = 100, pool, guard, idempotent = false, schemas = {}, errors, examples = {}, security } = options;
  // Requests refused before routing get the common error body.
  const failure =
    errors === undefined
      ? { type: AgoraError }
      : { schema: { oneOf: [errors, AgoraError].map((form) => ({ $ref: getSchemaPath(form) })) } };
  return applyDecorators(
    RequestMapping({ method: RequestMethod[verb as keyof typeof RequestMethod], path }),
    HttpCode(200),
    SetMetadata(answerMetadata, answer),
    ...(limit === null ? [] : [RateLimit(limit, pool === undefined ? {} : { pool })]),
    ...(guard === undefined ? [] : [AccessBy(guard)]),
    ...(idempotent ? [Idempotent()] : []),
    ApiOperation({ summary, ...(security === undefined ? {} : { security }) }),
    ShowExamples(completeExamples(examples, path, answer)),
    ApiExtraModels(AgoraUser, AgoraError),
    ApiOkResponse({
      schema: {
        type: 'object',
        properties: Object.fromEntries(members.map(({ name }) => [name, schemas[name] ?? commonSchemas[name] ?? {}])),
        required: members.filter(({ optional }) => !optional).map(({ name }) => name),
      },
    }),
    ApiExtraModels(...(errors === undefined ? [] : [errors])),
    ApiResponse({ status: '4XX', description: 'The request was rejected, see docs/errors.md', ...failure }),
    ApiResponse({ status: '5XX', description: 'Try again later', ...failure }),
  );
}
