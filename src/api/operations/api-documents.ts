import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Dialects } from '../../http/dialect.js';
import { Env } from '../../config/env.js';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

type Parameters = NonNullable<NonNullable<OpenAPIObject['paths'][string]['get']>['parameters']>;

/** The parts of the API in the order in which the page shows them. */
const tags = {
  users: 'Register, get, list, change, delete, ban and unban: Agora Chat (Easemob IM)',
  presence: 'Online status, devices, forced logout, revocation of tokens',
  'offline messages': 'What waits for a user, and whether a message was delivered',
  tokens: 'For apps and for users',
  groups: 'Chat groups and chat rooms: owners and members',
  messages: 'From app servers to users',
  contacts: 'Who is a contact of whom, always both ways',
  blocks: 'Whom a user takes no messages of',
  mutes: 'Who may not send, and until when',
  'qiscus users': 'The server API of Qiscus over the same users',
  'qiscus unread': 'Unread messages of users',
  'qiscus users, version 2': 'The older server API of Qiscus, whose answers have the token',
  'qiscus client SDKs': 'What the client SDKs of Qiscus call: the log in, the own profile, users, blocks',
  operations: 'Health and metrics',
};
/** Prefixes under which routes answer a second time: the document shows each route once. */
const twinPrefix = /^\/(app-id\/|api\/v2\/(?!(sdk|rest)\/))/;

/** The OpenAPI document of the running routes. `docs/api/openapi.json` holds it, and CI checks that it is fresh. */
export function describeApi(app: NestFastifyApplication, dialects: Dialects): OpenAPIObject {
  const { publicUrl } = app.get(Env);
  const builder = new DocumentBuilder()
    .setTitle('Rollcall')
    .setDescription(
      'The chat user system that you run yourself, in the dialects of Agora Chat (Easemob IM) and Qiscus.\n\n' +
        'Every route below `/{org}/{app}/` answers below `/app-id/{App ID}/` as well, and every route below ' +
        '`/api/v2/sdk/` below `/api/v2/mobile/`; those of the log in also below `/api/v2/`.',
    )
    .setVersion('1');
  for (const [tag, description] of Object.entries(tags)) builder.addTag(tag, description);
  const config = dialects.describeSecurity(builder).build();
  // Without one, paths are those of the host that the document was read from.
  if (publicUrl !== null) config.servers = [{ url: publicUrl }];
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  document.paths = Object.fromEntries(Object.entries(document.paths).filter(([path]) => !twinPrefix.test(path)));
  const times = new Map<string, number>();
  for (const [path, { get, put, post, patch, delete: remove }] of Object.entries(document.paths))
    for (const operation of [get, put, post, patch, remove])
      if (operation !== undefined) {
        operation.parameters = withPathParameters(path, operation.parameters);
        operation.operationId = uniqueId(operation.operationId, times);
      }
  return document;
}

/** A handler answers under several prefixes, which Nest numbers in brackets: no generator makes a method of those. */
function uniqueId(id: string | undefined, times: Map<string, number>): string {
  const name = id?.replace(/\[\d+\]$/, '') ?? '';
  const time = (times.get(name) ?? 0) + 1;
  times.set(name, time);
  return time === 1 ? name : `${name}_${time}`;
}

/** `{org}/{app}` is read by guards, so no handler of it tells Nest. A document without it is not valid. */
function withPathParameters(path: string, parameters: Parameters = []): Parameters {
  const told = parameters.map((one) => ('name' in one ? one.name : ''));
  const missing = [...path.matchAll(/\{(\w+)\}/g)]
    .map(([, name = '']) => name)
    .filter((name) => !told.includes(name))
    .map((name) => ({ name, in: 'path' as const, required: true, schema: { type: 'string' } }));
  return [...missing, ...parameters];
}

/** The document at `/docs/openapi.json` and a page to read and try it at `/docs`. */
export function serveApiDocuments(app: NestFastifyApplication, dialects: Dialects): void {
  SwaggerModule.setup('docs', app, () => describeApi(app, dialects), {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
    customSiteTitle: 'Rollcall API',
  });
}
