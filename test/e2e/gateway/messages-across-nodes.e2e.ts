import { MessagesService } from '../../../src/messages/messages.service.js';
import { MutesService } from '../../../src/mutes/mutes.service.js';
import { TokensService } from '../../../src/auth/tokens.service.js';
import { UsersService } from '../../../src/users/users.service.js';
import { eventually, MessageClient } from '../../support/message-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';
import { createDatabase, type TestDatabase } from '../../support/test-database.js';

// SQLite has a single node, so there both names stand for the same one.
const isMariadb = globalThis.rollcallEngine !== 'sqlite';
// With Redis a signal arrives at once; without it, a node polls for messages every five seconds.
const sharesSignals = globalThis.rollcallRedis || !isMariadb;
const withinMs = sharesSignals ? 2_000 : 8_000;

describe('messages and mutes between nodes', () => {
  let database: TestDatabase;
  let near: RunningApp;
  let far: RunningApp;

  beforeAll(async () => {
    database = await createDatabase();
    near = await startApp({ database });
    far = isMariadb ? await startApp({ database }) : near;
  }, 60_000);
  afterAll(async () => {
    if (far !== near) await far.stop();
    await near.stop();
    await database.drop();
  });

  const logIn = async (name: string): Promise<MessageClient> => {
    await near.register(name);
    const user = await near.nest.get(UsersService).get(near.app.id, name);
    const token = near.nest.get(TokensService).issueUserToken(near.app, user, 0).accessToken;
    return MessageClient.connect(`${far.url.replace('http', 'ws')}${near.path}/ws`, token);
  };

  test('a message sent on one node reaches a session on another, in order', async () => {
    const client = await logIn('remote');
    const send = (msg: string) =>
      near.nest.get(MessagesService).send(near.app, { from: 's', to: ['remote'], type: 'txt', body: { msg } });
    for (let index = 0; index < 10; index += 1) await send(String(index));
    const messages = await client.take('message', 10, withinMs);
    expect(messages.map(({ body }) => Number(body.msg))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await client.close();
  }, 30_000);

  test('a message for online users only reaches a session on another node if Redis announces it', async () => {
    const client = await logIn('remote-live');
    const message = { from: 's', to: ['remote-live'], type: 'cmd', body: { action: 'live' } };
    await near.nest.get(MessagesService).send(near.app, { ...message, onlineOnly: true });
    await near.nest.get(MessagesService).send(near.app, { ...message, body: { action: 'kept' } });
    const expected = sharesSignals ? ['live', 'kept'] : ['kept'];
    const messages = await client.take('message', expected.length, withinMs);
    expect(messages.map(({ body }) => body.action as string)).toEqual(expected);
    await client.close();
  }, 30_000);

  test('a mute set on one node takes effect on another within a second, and so does its end', async () => {
    const client = await logIn('remote-muted');
    const answers = () => client.frames.filter(({ type }) => type === 'sent' || type === 'error');
    let sent = 0;
    /** How long it takes until messages get this answer. */
    const timeUntil = async (type: string): Promise<number> => {
      const startedAt = performance.now();
      await eventually(() => {
        client.send({ type: 'send', to: 'remote-muted', body: {} });
        sent += 1;
        expect(answers().at(-1)?.type).toBe(type);
      }, withinMs);
      return performance.now() - startedAt;
    };
    const mute = (chat: number) => near.nest.get(MutesService).set(near.app.id, 'remote-muted', { chat });
    await timeUntil('sent');
    await mute(-1);
    const muted = await timeUntil('error');
    expect(answers().at(-1)).toMatchObject({ code: 'user_muted' });
    await mute(0);
    const lifted = await timeUntil('sent');
    if (sharesSignals) expect(Math.max(muted, lifted)).toBeLessThan(1_000);
    await eventually(() => expect(answers()).toHaveLength(sent));
    await client.close();
  }, 30_000);
});
