import { applyDecorators, HttpCode, RequestMapping, RequestMethod, type Type } from '@nestjs/common';
import {
  ApiBody,
  ApiExtraModels,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiResponse,
  ApiSecurity,
  getSchemaPath,
} from '@nestjs/swagger';
import { AccessBy } from '../../http/access.guard.js';
import { type CallExample, ShowExamples } from '../../http/call-examples.js';
import { Idempotent } from '../../http/idempotency.js';
import { QiscusAppGuard } from './qiscus-app.guard.js';
import { parametersOfHandler, type QiscusParameter } from './qiscus-parameter.decorators.js';
import { QiscusServerGuard } from './qiscus-server.guard.js';
import { QiscusUserTokenGuard } from './qiscus-user-token.guard.js';

/** The security schemes of the dialect; spellings with underscores work as well. */
export const qiscusSecurity = {
  appId: 'QISCUS-SDK-APP-ID',
  secret: 'QISCUS-SDK-SECRET',
  token: 'QISCUS-SDK-TOKEN',
} as const;

const text = { type: 'string' };
const whole = { type: 'integer' };
const texts = { type: 'array', items: text };

const envelope = (content: object): object => ({
  type: 'object',
  properties: { ...content, status: { ...whole, description: 'The HTTP status' } },
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
const failureOfClientCall = failureWith({ code: { ...whole, description: "The vendor's error code, if it has one" } });

/** `String`, `Number` (an integer), a class with described properties, a list of one of these, or a schema. */
type Member = Type | StringConstructor | NumberConstructor | readonly [Member] | object;

export interface QiscusRouteOptions {
  /** What the caller presents besides the App ID: the app's secret, a user token, or nothing. */
  readonly by: keyof typeof guards;
  /** The route changes something and takes an Idempotency-Key: its handler works inside `call.once`. */
  readonly idempotent?: boolean;
  /** The members of `results`, all present on success; or the class that describes them. */
  readonly results: Type | Readonly<Record<string, Member>>;
  /** For the API document: the request, and the `results` of the answer. */
  readonly example?: QiscusExample;
}

export interface QiscusExample {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly results: Readonly<Record<string, unknown>>;
}

const guards = { secret: QiscusServerGuard, token: QiscusUserTokenGuard, nothing: QiscusAppGuard };

/**
 * A route of the dialect, described once: the route itself, who may call it, and its part of the API document. Its
 * parameters come from the class of its `@Parameters`.
 * @param route verb and path relative to the controller's: `GET user_profile`
 */
export function QiscusRoute(route: string, summary: string, options: QiscusRouteOptions): MethodDecorator {
  const [verb = '', path = ''] = route.split(' ');
  const { by, idempotent = false, results, example } = options;
  const failure = by === 'secret' ? failureOfServerCall : failureOfClientCall;
  return (target, handler, descriptor) =>
    applyDecorators(
      RequestMapping({ method: RequestMethod[verb as keyof typeof RequestMethod], path }),
      HttpCode(200),
      AccessBy(guards[by]),
      ...(idempotent ? [Idempotent()] : []),
      ApiOperation({ summary }),
      ...(example === undefined ? [] : [ShowExamples({ [summary]: complete(example, verb) })]),
      ApiSecurity({ [qiscusSecurity.appId]: [], ...(by === 'nothing' ? {} : { [qiscusSecurity[by]]: [] }) }),
      ...describeParameters(verb, parametersOfHandler(target, handler)),
      ...(by === 'token' ? describeUserHeaders() : []),
      ApiExtraModels(...modelsIn(results)),
      ApiOkResponse({ schema: envelope({ results: schemaOfResults(results) }) }),
      ApiResponse({ status: '4XX', description: 'The request was rejected, see docs/errors.md', schema: failure }),
      ApiResponse({ status: '5XX', description: 'Try again later', schema: failure }),
    )(target, handler, descriptor);
}

function schemaOfResults(results: QiscusRouteOptions['results']): object {
  if (typeof results === 'function') return schemaOf(results);
  const members = Object.entries(results).map(([name, member]) => [name, schemaOf(member)] as const);
  return { type: 'object', properties: Object.fromEntries(members), required: Object.keys(results) };
}

function schemaOf(member: Member): object {
  if (Array.isArray(member)) return { type: 'array', items: schemaOf(member[0] as Member) };
  if (typeof member !== 'function') return member;
  if (member === String) return text;
  return member === Number ? whole : { $ref: getSchemaPath(member) };
}

/** The classes that the API document has to include with the route. */
function modelsIn(results: QiscusRouteOptions['results']): Type[] {
  const members = typeof results === 'function' ? [results] : Object.values(results).flat();
  return members.filter((one): one is Type => typeof one === 'function' && one !== String && one !== Number);
}

/** Every call may send them in its query or body; the API document names the usual place. */
function describeParameters(verb: string, parameters: readonly QiscusParameter[]): MethodDecorator[] {
  if (verb === 'GET') return parameters.map(({ name, required, schema }) => ApiQuery({ name, required, schema }));
  const properties = Object.fromEntries(parameters.map(({ name, schema }) => [name, schema]));
  const required = parameters.filter((parameter) => parameter.required).map(({ name }) => name);
  return [ApiBody({ schema: { type: 'object', properties, required } })];
}

function complete({ parameters, results }: QiscusExample, verb: string): CallExample {
  return { ...(verb === 'GET' ? { parameters } : { body: parameters }), answer: { results, status: 200 } };
}

function describeUserHeaders(): MethodDecorator[] {
  return ['QISCUS-SDK-USER-ID', 'QISCUS-SDK-USER-EMAIL'].map((name) =>
    ApiHeader({
      name,
      required: false,
      description: 'The user that the token must belong to; Android clients send it as EMAIL',
    }),
  );
}
