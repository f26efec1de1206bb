import type { BootstrapApp } from '../../src/config/env.js';
import { eventually, MessageClient } from '../support/message-client.js';
import { tokenOf } from '../support/tokens.js';

/** The calls of docs/tour.md, in order, against a service that has the app. */
export async function takeTour(url: string, app: BootstrapApp): Promise<void> {
  const path = `/${app.org}/${app.name}`;
  const appToken = tokenOf(app);
  const call = async (method: string, route: string, body?: unknown): Promise<any> => {
    const response = await fetch(`${url}${path}${route}`, {
      method,
      headers: { authorization: `Bearer ${appToken}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, ...((await response.json()) as object) };
  };
  const user1 = { username: 'user1', password: '123' };
  const passwordGrant = { grant_type: 'password', ...user1 };

  expect(await call('POST', '/users', user1)).toMatchObject({ status: 200, entities: [{ username: 'user1' }] });
  expect(await call('POST', '/users', [user1, { username: 'User2', password: '456' }])).toMatchObject({
    entities: [{ username: 'user2' }],
    data: [{ username: 'user1', registerUserFailReason: 'the user1 already exists' }],
  });
  expect(await call('GET', '/users?limit=1')).toMatchObject({ count: 1, cursor: expect.any(String) as string });
  expect(await call('POST', '/token', passwordGrant)).toMatchObject({ user: { username: 'user1' } });
  expect(await call('POST', '/users/user1/deactivate', { reason: 'spam' })).toMatchObject({ status: 200 });
  expect(await call('POST', '/token', passwordGrant)).toMatchObject({ error: 'invalid_grant' });
  expect(await call('POST', '/users/user1/activate')).toMatchObject({ status: 200 });
  expect(await call('PUT', '/users/user1/password', { newpassword: '456' })).toMatchObject({ status: 200 });
  expect(await call('DELETE', '/users/user1')).toMatchObject({ status: 200 });

  const pair = [
    { username: 'alice', password: '123' },
    { username: 'bob', password: '456' },
  ];
  expect(await call('POST', '/users', pair)).toMatchObject({ status: 200 });
  const message = { from: 'alice', to: ['bob'], type: 'txt', body: { msg: 'Hello, Bob' } };
  const { data: sent } = await call('POST', '/messages/users', message);
  expect(await call('GET', '/users/bob/offline_msg_count')).toMatchObject({ data: { bob: 1 } });
  const bob = await MessageClient.connect(`${url.replace('http', 'ws')}${path}/ws`, tokenOf(app, 'bob'));
  expect(await bob.first('message')).toMatchObject({ id: sent.bob as string, body: { msg: 'Hello, Bob' } });
  const status = `/users/bob/offline_msg_status/${sent.bob}`;
  await eventually(async () => expect(await call('GET', status)).toMatchObject({ data: { [sent.bob]: 'delivered' } }));
  expect(await call('GET', '/users/bob/status')).toMatchObject({ data: { bob: 'online' } });
  expect(await call('GET', '/users/bob/disconnect')).toMatchObject({ data: { result: true } });
  expect(await bob.first('kicked')).toMatchObject({ reason: 'forced_offline' });

  const guest = new FormData();
  for (const [field, value] of Object.entries({
    user_id: 'guest@example.com',
    password: 'passw0rd',
    username: 'Guest',
  }))
    guest.set(field, value);
  const qiscus = await fetch(`${url}/api/v2.1/rest/login_or_register`, {
    method: 'POST',
    headers: { 'QISCUS-SDK-APP-ID': app.appId, 'QISCUS-SDK-SECRET': app.certificate },
    body: guest,
  });
  expect(await qiscus.json()).toMatchObject({ results: { user: { user_id: 'guest@example.com' } }, status: 200 });
}
