import { MessagesService } from '../../../src/messages/messages.service.js';
import { TokensService } from '../../../src/auth/tokens.service.js';
import { UsersService } from '../../../src/users/users.service.js';
import { MessageClient } from '../../support/message-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';
import { createDatabase, type TestDatabase } from '../../support/test-database.js';

// SQLite is one node; there both names stand for the same one.
const isServer = globalThis.rollcallEngine !== 'sqlite';
// With Redis a wake-up crosses at once; without it, a node finds the message when it looks, every five seconds.
const withinMs = globalThis.rollcallRedis || !isServer ? 2_000 : 8_000;

describe('messages between nodes', () => {
  let database: TestDatabase;
  let near: RunningApp;
  let far: RunningApp;

  beforeAll(async () => {
    database = await createDatabase();
    near = await startApp({ database });
    far = isServer ? await startApp({ database }) : near;
  }, 60_000);
  afterAll(async () => {
    if (far !== near) await far.stop();
    await near.stop();
    await database.drop();
  });

  test('what is sent on one node reaches a session on another, in order', async () => {
    await near.register('remote');
    const user = await near.nest.get(UsersService).get(near.app.id, 'remote');
    const token = near.nest.get(TokensService).issueUserToken(near.app, user, 0).accessToken;
    const client = await MessageClient.connect(`${far.url.replace('http', 'ws')}${near.path}/ws`, token);
    const send = (msg: string) =>
      near.nest.get(MessagesService).send(near.app, { from: 's', to: ['remote'], type: 'txt', body: { msg } });
    for (let index = 0; index < 10; index += 1) await send(String(index));
    const messages = await client.take('message', 10, withinMs);
    expect(messages.map(({ body }) => Number(body.msg))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await client.close();
  }, 30_000);
});
