import { agoraErrors, expectError, expectOrder } from '../../support/agora-answers.js';
import { aUsername } from '../../factories/user.factory.js';
import { MessageClient } from '../../support/message-client.js';
import { type RunningApp, startApp } from '../../support/start-app.js';

const aMessage = (overrides: Readonly<Record<string, unknown>> = {}) => ({
  ...{ from: 'sender', to: ['u1'], type: 'txt', body: { msg: 'hi' } },
  ...overrides,
});

describe('POST messages/users', () => {
  let service: RunningApp;
  const send = (body: unknown) => service.call('post', '/messages/users', { body });
  const count = async (username: string) =>
    (await service.call('get', `/users/${username}/offline_msg_count`)).body.data[username] as number;

  beforeAll(async () => {
    service = await startApp();
    for (const username of ['u1', 'u2', 'u3']) await service.register(username);
  });
  afterAll(() => service.stop());

  test('200 with an id for each receiver, as decimal text, all different', async () => {
    const response = await send(aMessage({ to: ['u1', 'U2'], sync_device: false }));
    expect(response.status).toBe(200);
    expectOrder(response, [
      ...['path', 'uri', 'timestamp', 'organization', 'application', 'action', 'data', 'duration', 'applicationName'],
    ]);
    expect(response.body).toMatchObject({
      path: '/messages/users',
      uri: `${service.url}${service.path}/messages/users`,
      organization: service.app.org,
      application: service.app.id,
      action: 'post',
      applicationName: service.app.name,
    });
    const ids = Object.values(response.body.data as object) as string[];
    expect(Object.keys(response.body.data as object)).toEqual(['u1', 'U2']);
    for (const id of ids) expect(id).toMatch(/^[1-9]\d{10,18}$/);
    expect(new Set(ids).size).toBe(2);
    expect(await count('u2')).toBe(1);
  });

  test('200 from admin when from is missing, for every type, and for a receiver who does not exist', async () => {
    for (const type of ['txt', 'img', 'audio', 'video', 'loc', 'file', 'cmd', 'custom'])
      expect((await send({ to: ['nobody'], type, body: { any: { thing: [1] } } })).body.data.nobody).toMatch(/^\d+$/);
    // A later owner of the name does not inherit what was sent to an unknown user.
    await service.register('nobody');
    expect(await count('nobody')).toBe(0);
  });

  test('200 with up to 600 receivers, each of whom gets it once', async () => {
    const names = Array.from({ length: 600 }, (_none, index) => `many-${index}`);
    for (let start = 0; start < 600; start += 60)
      await service.call('post', '/users', {
        body: names.slice(start, start + 60).map((username) => ({ username, password: 'x' })),
      });
    const response = await send(aMessage({ to: names }));
    expect(response.status).toBe(200);
    expect(new Set(Object.values(response.body.data as object)).size).toBe(600);
    for (const name of ['many-0', 'many-299', 'many-300', 'many-599']) expect(await count(name)).toBe(1);
    expectError(
      await send(aMessage({ to: [...names, 'one-more'] })),
      agoraErrors.illegal(/array size\[601\].*value\[600\]/),
    );
  });

  test.each<[string, string, string]>([
    ['{"order":1688888483063664642,"n":[1.0,-0,1E5,1e-400]}', '{"id":9007199254740993}', '{"id":9007199254740993}'],
    ['{"half":"\\ud800","text":"1688888483063664642"}', '[]', '{}'],
    ['{}', 'null', '{}'],
    ['{}', '""', '{}'],
  ])('200 and the body %s and the ext %s arrive as sent', async (body, ext, delivered) => {
    const username = aUsername();
    await service.register(username);
    const client = await MessageClient.logIn(service, username);
    await send(`{"from":"sender","to":["${username}"],"type":"txt","body":${body},"ext":${ext}}`).expect(200);
    await client.first('message');
    expect(client.texts.at(-1)).toContain(`"body":${body},"ext":${delivered},`);
    await client.close();
  });

  test.each(['9007199254740993', '1.0', '[1]', '"text"'])('400 for the ext or the body %s', async (value) => {
    for (const member of ['ext', 'body'])
      expectError(
        await send(`{"to":["u1"],"type":"txt",${member === 'ext' ? '"body":{},' : ''}"${member}":${value}}`),
        agoraErrors.illegal(new RegExp(`^${member} must be`)),
      );
  });

  test.each([
    [{ from: '' }, /from must not be empty/],
    [{ from: 'no spaces' }, /username \[no spaces\] is not legal/],
    [{ to: [] }, /must name at least one receiver/],
    [{ to: 'u1' }, /list/],
    [{ to: [1] }, /strings/],
    [{ to: undefined }, /to is required/],
    [{ type: 'smoke' }, /type must be one of txt/],
    [{ type: undefined }, /type is required/],
    [{ body: undefined }, /body is required/],
    [{ body: 'text' }, /body must be/],
    [{ ext: 'text' }, /ext must be/],
  ])('400 for %j', async (wrong, description) => {
    expectError(await send(aMessage(wrong)), agoraErrors.illegal(description));
  });

  test('400 with error_code 14007 when body and ext are over 16 KiB together, and nothing is stored', async () => {
    const before = await count('u3');
    const largestBody = { msg: 'é'.repeat(8_180) };
    expect((await send(aMessage({ to: ['u3'], body: largestBody }))).status).toBe(200);
    const response = await send(aMessage({ to: ['u3'], body: largestBody, ext: { more: 'x'.repeat(100) } }));
    expect(response.status).toBe(400);
    expectOrder(response, ['error', 'exception', 'timestamp', 'duration', 'error_code', 'error_description']);
    expect(response.body).toMatchObject({
      error: 'message_send_error',
      exception: 'MessageSendException',
      error_code: 14007,
      error_description: 'message is too large',
    });
    expect(await count('u3')).toBe(before + 1);
  });

  test('401 without a token and with a user token', async () => {
    expectError(await service.call('post', '/messages/users', { body: aMessage(), token: null }), agoraErrors.noToken);
    const { body } = await service.call('post', '/token', {
      body: { grant_type: 'inherit', username: 'u1' },
    });
    expectError(
      await service.call('post', '/messages/users', { body: aMessage(), token: body.access_token as string }),
      agoraErrors.foreign,
    );
  });
});
