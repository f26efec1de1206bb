import { Database } from '../../../src/database/database.js';
import { AppsService } from '../../../src/apps/apps.service.js';
import { UsersService } from '../../../src/users/users.service.js';
import { aUsername } from '../../factories/user.factory.js';
import { rawCall } from '../../support/raw-call.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

/** MariaDB compares `ann` and `ann ` as equal, whatever the collation; SQLite does not. */
const tails = [' ', '  ', '%20', '\t', '\0', '\u00a0'];

let running: RunningApp;
let username: string;

beforeAll(async () => {
  running = await startApp();
  await running.nest.get(AppsService).set(running.app, 'alias', 'analias');
  username = (await running.register(aUsername()))['username'] as string;
});
afterAll(() => running.stop());

const get = (path: string, headers = {}) => rawCall(running.url, 'GET', path, { token: running.token, headers });
const encoded = (text: string) => encodeURIComponent(text);

describe.each(tails)('a name followed by %j finds nothing:', (tail) => {
  it('404 for a padded org or app', async () => {
    const { org, name } = running.app;
    for (const [one, other] of [
      [org + tail, name],
      [org, name + tail],
      [org + tail, name + tail],
    ] as const) {
      const { status, body } = await get(`/${encoded(one)}/${encoded(other)}/users/${username}`);
      expect([status, body.error]).toEqual([404, 'organization_application_not_found']);
    }
  });

  it('404 for a padded App ID', async () => {
    const { status } = await get(`/app-id/${encoded(running.app.appId + tail)}/users/${username}`);
    expect(status).toBe(404);
  });

  it('null for an app by padded id, alias or certificate', async () => {
    const apps = running.nest.get(AppsService);
    const { appId, certificates } = running.app;
    expect(await apps.findByAlias('analias')).not.toBeNull();
    expect(await apps.findByAlias(`analias${tail}`)).toBeNull();
    expect(await apps.findByAppId(appId + tail)).toBeNull();
    expect(await apps.findByCertificate((certificates[0] as string) + tail)).toBeNull();
  });

  it('404 for a padded username or uuid', async () => {
    const { uuid } = await running.nest.get(UsersService).get(running.app.id, username);
    for (const user of [username, uuid])
      expect((await get(`${running.path}/users/${encoded(user + tail)}`)).status).toBe(404);
  });

  it('null when a row lock is requested for a padded name', async () => {
    const lockedRow = await running.nest
      .get(Database)
      .write((transaction) =>
        running.nest.get(UsersService).lockForUpdate(transaction, running.app.id, [username + tail]),
      );
    expect(lockedRow).toEqual([]);
  });

  it('404 for a padded group id or member', async () => {
    const groups = `${running.path}/chatgroups`;
    const body = JSON.stringify({ groupname: 'g', description: 'd', public: true, owner: username });
    const call = (method: string, path: string, options = {}) =>
      rawCall(running.url, method, path, { token: running.token, ...options });
    const id = (await call('POST', groups, { body })).body.data.groupid as string;
    expect((await get(`${groups}/${id}`)).status).toBe(200);
    expect((await get(`${groups}/${encoded(id + tail)}`)).status).toBe(404);
    expect((await call('DELETE', `${groups}/${id}/users/${encoded(username + tail)}`)).status).toBe(404);
    const add = JSON.stringify({ usernames: [username + tail] });
    expect((await call('POST', `${groups}/${id}/users`, { body: add })).status).toBe(404);
  });
});

it('200 for all of these without padding', async () => {
  const { org, name, appId } = running.app;
  for (const path of [`/${org}/${name}/users/${username}`, `/app-id/${appId.toUpperCase()}/users/${username}`])
    expect((await get(path)).status).toBe(200);
});
