import { randomUUID } from 'node:crypto';
import { AppsService } from '../../../src/apps/apps.service.js';
import type { AuditEntryRow } from '../../../src/audit/audit-entry.entity.js';
import { Database } from '../../../src/database/database.js';
import { aBootstrapApp } from '../../factories/app.factory.js';
import { accessOfRoutes, guardedRoutes, idempotentRoutes, isTwinRoute } from '../../support/route-access.js';
import { callsOf } from '../../support/route-calls.js';
import { type RunningApp, startApp } from '../../support/start-app.js';
import { Tenant } from '../../support/tenant.js';

/** What changes something and is not audited: docs/moderation.md says so. */
const notAudited = [/\/messages(\/users)?$/, /\/presence\/:resource\/:status$/];
/** Has an entry for each user that it changes, written with the change; or, to cancel, needs one under way. */
const auditedLater = /\/operations(\/:operationId\/(cancel|undo))?$/;
/** What takes no Idempotency-Key and may register or change a user all the same. */
const logIns = /auth\/verify_identity_token$|\/v2\/(sdk|mobile)\/login_or_register$|^POST \/:org\/:app\/token$/;

type Sent = readonly [method: string, path: string, body?: unknown];

/** Calls that change something, for routes whose calls in `route-calls.ts` don't; the last one is of the route. */
async function changesOf(tenant: Tenant): Promise<Readonly<Record<string, readonly Sent[]>>> {
  const { names, canary, ids } = tenant;
  const { username: user, other } = names;
  const { data: devices } = await tenant.call('GET', `/users/${other}/resources`);
  const [hidden, blocked] = [`hidden-${canary}`, `blocked-${canary}`];
  const usernames = [other];
  const contact = `/users/${user}/contacts/users/${other}`;
  const rest = '/api/v2.1/rest';
  return {
    'DELETE /:org/:app/users/:username/disconnect/:resource': [['DELETE', `/users/${user}/disconnect/${ids.resource}`]],
    'POST /:org/:app/token': [
      ['POST', '/token', { grant_type: 'inherit', username: `token-${canary}`, autoCreateUser: true }],
    ],
    'PUT /:org/:app/users/:username/contacts/users/:friend': [['PUT', contact, { remark: 'another' }]],
    'DELETE /:org/:app/users/:username/contacts/users/:friend': [['DELETE', contact]],
    'POST /:org/:app/users/:username/contacts/users/:friend': [['POST', contact]],
    'POST /:org/:app/users/:username/contacts/import': [
      ['DELETE', contact],
      ['POST', `/users/${user}/contacts/import`, { usernames }],
    ],
    'POST /:org/:app/sdk/user/:username/blocks': [['POST', `/sdk/user/${user}/blocks`, { usernames }]],
    'DELETE /:org/:app/sdk/user/:username/blocks': [['DELETE', `/sdk/user/${user}/blocks`, { usernames }]],
    'DELETE /:org/:app/users/:username/blocks/users/:usernames': [['DELETE', `/users/${user}/blocks/users/${hidden}`]],
    'DELETE /:org/:app/users/:username/blocks/users': [
      ['POST', `/users/${user}/blocks/users`, { usernames }],
      ['DELETE', `/users/${user}/blocks/users`, { usernames }],
    ],
    'DELETE /:org/:app/chatrooms/super_admin/:username': [['DELETE', `/chatrooms/super_admin/${hidden}`]],
    ...Object.fromEntries(
      (['chatgroups', 'chatrooms'] as const).flatMap((many): [string, readonly Sent[]][] => {
        const path = `/${many}/${many === 'chatgroups' ? ids.groupId : ids.roomId}`;
        const route = `/:org/:app/${many}/:id`;
        return [
          [`POST ${route}/mute`, [['POST', `${path}/mute`, { usernames, mute_duration: 60_000 }]]],
          [`DELETE ${route}/mute/:usernames`, [['DELETE', `${path}/mute/${other}`]]],
          [`POST ${route}/admin`, [['POST', `${path}/admin`, { newadmin: other }]]],
          [`DELETE ${route}/admin/:username`, [['DELETE', `${path}/admin/${other}`]]],
          [`DELETE ${route}/users/:usernames`, [['DELETE', `${path}/users/${other}`]]],
          [`POST ${route}/users/:username`, [['POST', `${path}/users/${other}`]]],
          [
            `POST ${route}/users`,
            [
              ['DELETE', `${path}/users/${other}`],
              ['POST', `${path}/users`, { usernames }],
            ],
          ],
          [`POST ${route}/blocks/users/:username`, [['POST', `${path}/blocks/users/${other}`]]],
          [`DELETE ${route}/blocks/users/:usernames`, [['DELETE', `${path}/blocks/users/${blocked}`]]],
        ];
      }),
    ),
    'POST /api/v2/sdk/block_user': [['POST', '/api/v2/sdk/block_user', { user_email: other }]],
    'POST /api/v2/sdk/unblock_user': [['POST', '/api/v2/sdk/unblock_user', { user_email: other }]],
    'POST /api/v2/sdk/login_or_register': [
      ['POST', '/api/v2/sdk/login_or_register', { email: `sdk-${canary}`, password: 'p' }],
    ],
    'POST /api/v2/sdk/auth/verify_identity_token': [
      [
        'POST',
        '/api/v2/sdk/auth/verify_identity_token',
        { identity_token: await tenant.identityToken({ name: 'another' }) },
      ],
    ],
    'POST /api/v2.1/rest/login_or_register': [
      ['POST', `${rest}/login_or_register`, { user_id: `rest-${canary}`, username: 'a name', password: 'p' }],
    ],
    'POST /api/v2.1/rest/reactivate_users': [
      ['DELETE', `${rest}/deactivate_users?user_ids[]=${hidden}`],
      ['POST', `${rest}/reactivate_users`, { user_ids: [hidden] }],
    ],
    'POST /api/v2/rest/login_or_register': [
      ['POST', '/api/v2/rest/login_or_register', { email: `older-${canary}`, username: 'a name', password: 'p' }],
    ],
    'POST /:org/:app/users': [['POST', '/users', { username: `new-${canary}`, password: 'p' }]],
    'DELETE /:org/:app/contacts/users/:username': [['DELETE', `/contacts/users/${user}`]],
    'DELETE /:org/:app/metadata/user/:username': [['DELETE', `/metadata/user/${user}`]],
    'DELETE /:org/:app/chatgroups/:id': [['DELETE', `/chatgroups/${ids.groupId}`]],
    'DELETE /:org/:app/chatrooms/:id': [['DELETE', `/chatrooms/${ids.roomId}`]],
    'GET /:org/:app/users/:username/disconnect/:resource': [['GET', `/users/${other}/disconnect/${devices[0].res}`]],
  };
}

interface Audited {
  readonly entries: readonly AuditEntryRow[];
  readonly requestId: string | null;
}

describe('Every route that changes something', () => {
  let running: RunningApp;

  beforeAll(async () => void (running = await startApp()));
  afterAll(() => running.stop());

  const aTenant = async (): Promise<Tenant> => {
    const credentials = aBootstrapApp();
    const apps = running.nest.get(AppsService);
    const app = await apps.create({ ...credentials });
    for (const setting of ['open_registration=true', 'rate_profile=off'])
      await apps.set(app, ...(setting.split('=') as [string, string]));
    return Tenant.build(running.url, credentials);
  };

  /** What one call has recorded. */
  const record = async (tenant: Tenant, route: string, sent: RequestInit & { path: string }): Promise<Audited> => {
    const { path, headers, ...call } = sent;
    const shown = { 'idempotency-key': randomUUID(), ...tenant.shown(accessOfRoutes(running).get(route) ?? '') };
    const response = await fetch(`${running.url}${path}`, {
      ...call,
      headers: { ...shown, ...(headers as Record<string, string>) },
    });
    await response.arrayBuffer();
    const operation = response.headers.get('x-operation-id');
    // A dry run is no operation.
    if (response.status === 200 && idempotentRoutes(running).has(route) && !path.includes('dry_run='))
      expect([route, operation]).not.toEqual([route, null]);
    const entries = await running.nest
      .get(Database)
      .read<AuditEntryRow>('SELECT * FROM audit_entries WHERE app_id = ? AND operation_id = ?', [
        ...[tenant.application, Number(operation)],
      ]);
    return { entries, requestId: response.headers.get('x-request-id') };
  };

  const isComplete = ({ entries, requestId }: Audited): boolean => {
    for (const entry of entries) {
      expect(entry).toMatchObject({ address: '127.0.0.1', request_id: requestId });
      expect(entry.actor).toMatch(/^(app_token|user:.+)$/);
    }
    return entries.length > 0;
  };

  it('200 with its operation, and records who did it, from where and by which request, or is on the list', async () => {
    const changing = guardedRoutes(running)
      .map(({ route }) => route)
      .filter((route) => !isTwinRoute(route) && (idempotentRoutes(running).has(route) || logIns.test(route)));
    expect(changing.length).toBeGreaterThan(50);
    const left = new Set(changing);
    const one = await aTenant();
    for (const route of changing)
      for (const { method, path, body, headers } of callsOf(route, one.credentials, one.ids)) {
        const call = { method, headers: { ...headers }, body: method === 'GET' ? null : (body ?? null) };
        if (isComplete(await record(one, route, { path, ...call }))) left.delete(route);
      }
    await one.close();
    const other = await aTenant();
    for (const [route, calls] of Object.entries(await changesOf(other)))
      for (const [index, [method, path, sent]] of calls.entries()) {
        const body = sent === undefined ? null : JSON.stringify(sent);
        const headers: Record<string, string> = sent === undefined ? {} : { 'content-type': 'application/json' };
        const whole = path.startsWith('/api/') ? path : `${other.path}${path}`;
        const audited = await record(other, route, { method, path: whole, headers, body });
        if (index === calls.length - 1 && isComplete(audited)) left.delete(route);
      }
    await other.close();
    const expected = [...left].filter((route) => !auditedLater.test(route));
    expect(expected.filter((route) => !notAudited.some((one) => one.test(route)))).toEqual([]);
    expect(changing.filter((route) => notAudited.some((one) => one.test(route)) && !left.has(route))).toEqual([]);
  });
});
