import { Database } from '../../../src/database/database.js';
import { MessagesService } from '../../../src/messages/messages.service.js';
import { OfflineMessagesService } from '../../../src/offline-messages/offline-messages.service.js';
import { eventually, MessageClient } from '../../support/message-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

describe('messages on the gateway', () => {
  let service: RunningApp;
  const send = async (to: string, msg: string): Promise<string> => {
    const message = { from: 'server', to: [to], type: 'txt', body: { msg } };
    return (await service.nest.get(MessagesService).send(service.app, message)).get(to) as string;
  };
  const count = async (username: string, query = '') =>
    (await service.call('get', `/users/${username}/offline_msg_count${query}`)).body.data[username] as number;
  const texts = (client: MessageClient) => client.messages.map((frame) => (frame['body'] as { msg: string }).msg);

  beforeAll(async () => {
    service = await startApp();
  });
  afterAll(() => service.stop());

  test('numbers in body, ext and ref arrive and come back exactly as sent', async () => {
    for (const name of ['exact-a', 'exact-b']) await service.register(name);
    const [sender, receiver] = [
      await MessageClient.logIn(service, 'exact-a'),
      await MessageClient.logIn(service, 'exact-b'),
    ];
    const body = '{"order":1688888483063664642,"half":"\\ud800","n":[1.0,-0,1E5]}';
    sender.send(`{"type":"send","ref":9007199254740993,"to":"exact-b","body":${body},"ext":[]}`);
    await sender.first('sent');
    await receiver.first('message');
    expect(sender.texts.at(-1)).toContain('"ref":9007199254740993,');
    expect(receiver.texts.at(-1)).toContain(`"body":${body},"ext":{},`);
    await receiver.close();
    await sender.close();
  });

  test.each([
    ['5,000 levels', `{"type":"send","ref":1,"to":"strict","body":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`],
    ['33 levels', `{"type":"send","ref":1,"to":"strict","body":${'['.repeat(33)}${']'.repeat(33)}}`],
    ['__proto__', '{"type":"send","to":"strict","body":{"__proto__":{}}}'],
    ['a member twice', '{"type":"send","to":"nobody","to":"strict","body":{}}'],
    ['a number out of range', '{"type":"send","to":"strict","body":{"n":1e400}}'],
    [
      'over 1,024 members',
      `{"type":"send","to":"strict","body":{${Array.from({ length: 1100 }, (_none, index) => `"${index}":1`).join()}}}`,
    ],
    ['no frame', '[]'],
    ['a number', '1.0'],
  ])('a frame with %s is refused, and the session continues', async (_what, text) => {
    if ((await service.call('get', '/users/strict')).status === 404) await service.register('strict');
    const client = await MessageClient.logIn(service, 'strict');
    client.send(text);
    expect(await client.first('error')).toMatchObject({ code: 'frame_malformed' });
    client.send({ type: 'ping' });
    await client.first('pong');
    expect(client.messages).toEqual([]);
    await client.close();
  });

  test('a long backlog is pulled in order while the client acknowledges', async () => {
    await service.register('many');
    const expected = Array.from({ length: 300 }, (_none, index) => String(index));
    for (const msg of expected) await send('many', msg);
    const client = await MessageClient.logIn(service, 'many');
    expect(await client.first('ready')).toMatchObject({ offline: 300 });
    await client.take('message', 300);
    expect(texts(client)).toEqual(expected);
    await eventually(async () => expect(await count('many', '?state=undelivered')).toBe(0));
    await client.close();
  });

  test('a client that acknowledges nothing is sent a bounded number; the next one gets all the rest', async () => {
    await service.register('silent');
    const ids: string[] = [];
    for (let index = 0; index < 150; index += 1) ids.push(await send('silent', String(index)));
    const silentClient = await MessageClient.logIn(service, 'silent', { acks: false });
    await silentClient.take('message', 90);
    await silentClient.settle();
    expect(silentClient.messages.length).toBeLessThanOrEqual(100);
    for (const id of ids.slice(0, 20)) silentClient.send({ type: 'ack', id });
    await eventually(async () => expect(await count('silent', '?state=undelivered')).toBe(130));
    silentClient.terminate();
    const next = await MessageClient.logIn(service, 'silent');
    expect(await next.first('ready')).toMatchObject({ offline: 130 });
    await next.take('message', 130);
    expect(next.messages.map((frame) => frame['id'] as string)).toEqual(ids.slice(20));
    await next.close();
  });

  test('every live session gets a message; the first ack delivers it for all', async () => {
    await service.register('twice');
    const one = await MessageClient.logIn(service, 'twice', { device: 'one' });
    const other = await MessageClient.logIn(service, 'twice', { device: 'other', acks: false });
    const id = await send('twice', 'to both');
    await Promise.all([one.take('message', 1), other.take('message', 1)]);
    expect(other.messages[0]).toMatchObject({ id, offline: false });
    await eventually(async () => expect(await count('twice', '?state=undelivered')).toBe(0));
    const third = await MessageClient.logIn(service, 'twice', { device: 'third' });
    expect(await third.first('ready')).toMatchObject({ offline: 0 });
    await send('twice', 'to three');
    await third.take('message', 1);
    expect(texts(third)).toEqual(['to three']);
    await Promise.all([one.close(), other.close(), third.close()]);
  });

  test('a message that was pushed but never acknowledged waits as an offline message', async () => {
    await service.register('lost');
    const client = await MessageClient.logIn(service, 'lost', { acks: false });
    const id = await send('lost', 'first');
    await client.take('message', 1);
    client.terminate();
    expect(await count('lost', '?state=undelivered')).toBe(1);
    const next = await MessageClient.logIn(service, 'lost');
    expect((await next.take('message', 1))[0]).toMatchObject({ id });
    await next.close();
  });

  test('messages that a client sends without waiting keep their order, and each `sent` carries its ref', async () => {
    for (const name of ['quick', 'listener']) await service.register(name);
    const sender = await MessageClient.logIn(service, 'quick');
    const receiver = await MessageClient.logIn(service, 'listener');
    const expected = Array.from({ length: 50 }, (_none, index) => String(index));
    for (const msg of expected) sender.send({ type: 'send', ref: Number(msg), to: 'listener', body: { msg } });
    const sent = await sender.take('sent', 50);
    await receiver.take('message', 50);
    expect(texts(receiver)).toEqual(expected);
    expect(sent.map((frame) => frame['ref'] as number)).toEqual(expected.map(Number));
    expect(sent.map((frame) => frame['id'] as string)).toEqual(receiver.messages.map((frame) => frame['id'] as string));
    await Promise.all([sender.close(), receiver.close()]);
  });

  test('an invalid frame gets an error with its ref, and the session continues', async () => {
    await service.register('clumsy');
    const client = await MessageClient.logIn(service, 'clumsy');
    client.send({ type: 'send', ref: 'a', body: {} });
    client.send({ type: 'send', ref: 'b', to: 'clumsy', body: 'text' });
    client.send({ type: 'send', ref: 'c', to: 'clumsy', body: { msg: 'x'.repeat(17_000) } });
    client.send({ type: 'ack' });
    client.send({ type: 'ack', id: '12' });
    const errors = await client.take('error', 4);
    expect(errors.map((frame) => [frame['code'] as string, frame['ref'] as string | undefined])).toEqual(
      expect.arrayContaining([
        ['argument_invalid', 'a'],
        ['argument_invalid', 'b'],
        ['message_too_large', 'c'],
        ['argument_invalid', undefined],
      ]),
    );
    client.send({ type: 'send', ref: 'd', to: 'clumsy', body: { msg: 'to myself' } });
    expect(await client.first('sent')).toMatchObject({ ref: 'd' });
    await client.take('message', 1);
    await client.close();
  });

  test('body and ext are delivered unchanged', async () => {
    await service.register('exact');
    const body = { z: 1, a: [null, true, 'é\u2028"\\'], 10: 'ten', nested: { __x: {} } };
    const ext = { em_ignore: true };
    await service.call('post', '/messages/users', { body: { to: ['exact'], type: 'custom', body, ext } });
    const client = await MessageClient.logIn(service, 'exact');
    expect((await client.take('message', 1))[0]).toMatchObject({ from: 'admin', msg_type: 'custom', body, ext });
    await client.close();
  });

  test('a client with a hundred unstored acks is not read until they are stored, while others are', async () => {
    await service.register('flooding');
    const [client, other] = [
      await MessageClient.logIn(service, 'flooding'),
      await MessageClient.logIn(service, 'flooding'),
    ];
    const database = service.nest.get(Database);
    const write = database.write.bind(database);
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    database.write = ((work: Parameters<typeof write>[0]) => released.then(() => write(work))) as typeof write;
    try {
      for (let index = 0; index < 99; index += 1) client.send({ type: 'ack', id: '12' });
      await client.settle();
      client.send({ type: 'ack', id: '12' });
      await new Promise((resolve) => setTimeout(resolve, 100));
      client.send({ type: 'ping' });
      await other.settle();
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(client.frames.filter(({ type }) => type === 'pong')).toHaveLength(1);
    } finally {
      release();
      database.write = write;
    }
    await client.take('pong', 2);
    await Promise.all([client.close(), other.close()]);
  });

  test('simultaneous read marks of many users share few transactions, and the highest of each user wins', async () => {
    const database = service.nest.get(Database);
    const inboxes = service.nest.get(OfflineMessagesService);
    const names = Array.from({ length: 40 }, (_none, index) => `reader${index}`);
    const marks: [string, string][] = [];
    for (const name of names) {
      const { uuid } = await service.register(name);
      const ids = [await send(name, 'one'), await send(name, 'two'), await send(name, 'three')] as const;
      marks.push([uuid as string, ids[1]], [uuid as string, ids[0]]);
    }
    const write = database.write.bind(database);
    let writes = 0;
    database.write = ((work: Parameters<typeof write>[0]) => {
      writes += 1;
      return write(work);
    }) as typeof write;
    await Promise.all(marks.map(([uuid, id]) => inboxes.markRead(service.app.id, uuid, id)));
    database.write = write;
    expect(writes).toBeLessThan(10);
    const uuids = [...new Set(marks.map(([uuid]) => uuid))];
    const unread = await inboxes.unreadCounts(service.app.id, uuids, { fromMs: null, untilMs: null });
    expect(unread.map((one) => one.unread)).toEqual(names.map(() => 1));
  });
});
