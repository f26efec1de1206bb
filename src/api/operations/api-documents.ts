import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Dialects } from '../../http/dialect.js';
import { Env } from '../../config/env.js';
import { placeExamples } from '../../http/call-examples.js';
import { icon, pageStyle } from './api-page-style.js';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;
type Parameters = NonNullable<Operation['parameters']>;

/** The sections of the API in the order in which the page shows them. */
const tags = {
  users: 'Register, get, list, update, delete, ban and unban users: Agora Chat (Easemob IM)',
  presence: 'Online status, devices, forced logout, token revocation; published presence and subscriptions',
  'user attributes': 'Custom attributes of users',
  'offline messages': 'Pending messages of a user, and the delivery state of a message',
  tokens: 'Tokens for apps and for users',
  groups: 'Chat groups and chat rooms: owners, members, admins, blocked and muted users, announcements',
  messages: 'Messages from app servers to users',
  contacts: 'Contact lists; contacts are always mutual',
  blocks: 'Users whose messages a user does not receive',
  mutes: 'Users who may not send messages, temporarily or permanently',
  audit: 'Changes, and who made them',
  moderation: 'User search and staff notes: Rollcall extensions',
  'host look-up': 'Host discovery for SDKs that were configured without an address',
  'qiscus users': 'The Qiscus server API, over the same users',
  'qiscus unread': 'Unread message counts',
  'qiscus users, version 2': 'The older Qiscus server API, whose answers include the token',
  'qiscus client SDKs': 'The routes that the Qiscus client SDKs call: login, own profile, users, blocks',
  operations: 'Health and metrics',
};
/**
 * An operation's position within its tag, in the controllers' declaration order. Paths cannot express it, since
 * `GET users` comes after `GET users/{username}`, which comes after `POST users`.
 */
const orderExtension = 'x-order';
/** Default values in the page's form: the app shown in the startup banner. */
const demoApp: Readonly<Record<string, string>> = { org: 'demo', app: 'demo' };
/** Prefixes under which routes are served a second time; the document shows each route once. */
const twinPrefix = /^\/(app-id\/|api\/v2\/(?!(sdk|rest)\/))/;

/** The OpenAPI document of the running routes. `docs/api/openapi.json` is a copy that CI checks is up to date. */
export function describeApi(app: NestFastifyApplication, dialects: Dialects): OpenAPIObject {
  const { publicUrl } = app.get(Env);
  const builder = new DocumentBuilder()
    .setTitle('Rollcall')
    .setDescription(
      'A self-hosted chat user system that speaks the APIs of Agora Chat (Easemob IM) and Qiscus.\n\n' +
        'Every route under `/{org}/{app}/` is also served under `/app-id/{App ID}/`, and every route under ' +
        '`/api/v2/sdk/` under `/api/v2/mobile/`; the login routes also under `/api/v2/`.',
    )
    .setVersion('1');
  for (const [tag, description] of Object.entries(tags)) builder.addTag(tag, description);
  const config = dialects.describeSecurity(builder).build();
  // Without one, paths are relative to the host that served the document.
  if (publicUrl !== null) config.servers = [{ url: publicUrl }];
  const declared: string[] = [];
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) => {
      // Nest numbers a handler's prefixes in brackets, which generators cannot turn into a method name.
      const id = `${controller.replace(/Controller$/, '')}_${method.replace(/\[\d+\]$/, '')}`;
      declared.push(id);
      return id;
    },
  });
  const paths = Object.entries(document.paths).filter(([path]) => !twinPrefix.test(path));
  document.paths = Object.fromEntries(paths.sort(([, one], [, other]) => partOf(one) - partOf(other)));
  const parts = new Map<string | undefined, Operation[]>();
  for (const [path, item] of Object.entries(document.paths))
    for (const operation of operationsOf(item)) {
      operation.parameters = withPathParameters(path, operation.parameters);
      placeExamples(operation);
      parts.set(operation.tags?.[0], [...(parts.get(operation.tags?.[0]) ?? []), operation]);
    }
  const placeOf = ({ operationId = '' }: Operation): number => declared.indexOf(operationId);
  for (const part of parts.values())
    for (const [index, operation] of part.sort((one, other) => placeOf(one) - placeOf(other)).entries())
      Object.assign(operation, { [orderExtension]: index });
  const times = new Map<string, number>();
  for (const item of Object.values(document.paths))
    for (const operation of operationsOf(item)) operation.operationId = uniqueId(operation.operationId, times);
  return document;
}

function operationsOf({ get, put, post, patch, delete: remove }: PathItem): Operation[] {
  return [get, put, post, patch, remove].filter((operation) => operation !== undefined);
}

/** The index of the API section that a path belongs to. */
function partOf(item: PathItem): number {
  return Object.keys(tags).indexOf(operationsOf(item)[0]?.tags?.[0] ?? '');
}

/** A handler with two paths in the document has two operations. */
function uniqueId(id = '', times: Map<string, number>): string {
  const time = (times.get(id) ?? 0) + 1;
  times.set(id, time);
  return time === 1 ? id : `${id}_${time}`;
}

/** Guards read `{org}/{app}`, so no handler declares it to Nest, but the document is invalid without it. */
function withPathParameters(path: string, parameters: Parameters = []): Parameters {
  const told = parameters.map((one) => ('name' in one ? one.name : ''));
  const missing = [...path.matchAll(/\{(\w+)\}/g)]
    .map(([, name = '']) => name)
    .filter((name) => !told.includes(name))
    .map((name) => ({
      ...{ name, in: 'path' as const, required: true, schema: { type: 'string' } },
      ...(demoApp[name] === undefined ? {} : { example: demoApp[name] }),
    }));
  return [...missing, ...parameters];
}

/** An operation as the page represents it. */
interface ListedOperation {
  getIn(path: readonly string[]): number;
}

/** Serves the document at `/docs/openapi.json` and a page to read and try it at `/docs`. */
export function serveApiDocuments(app: NestFastifyApplication, dialects: Dialects): void {
  SwaggerModule.setup('docs', app, () => describeApi(app, dialects), {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
    customSiteTitle: 'Rollcall API',
    customCss: pageStyle,
    customfavIcon: icon,
    swaggerOptions: {
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0,
      // The source of this function is embedded in the page.
      operationsSorter: (one: ListedOperation, other: ListedOperation) =>
        one.getIn(['operation', 'x-order']) - other.getIn(['operation', 'x-order']),
    },
  });
}
