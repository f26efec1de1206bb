import { Database } from '../../../src/database/database.js';
import { expectOrder } from '../../support/agora-answers.js';
import { type CallOptions, type Response, type RunningApp, startApp } from '../../support/start-app.js';

const formType = 'application/x-www-form-urlencoded';

describe('user attributes', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp({ settings: { user_attributes_bytes: '20000' } });
    for (const name of ['ann', 'bob', 'cat']) await running.register(name);
  });
  afterAll(() => running.stop());

  const put = (name: string, form: Record<string, string> | string, type = formType, more: CallOptions = {}) =>
    running
      .call('put', `/metadata/user/${name}`, { ...more, headers: { 'content-type': type, ...more.headers } })
      .send(typeof form === 'string' ? form : new URLSearchParams(form).toString());
  const get = (name: string) => running.call('get', `/metadata/user/${name}`);
  const usage = async (): Promise<number> => (await running.call('get', '/metadata/user/capacity')).body.data as number;

  function expectFailure(response: Response, status: number, desc: string): void {
    expect({ status: response.status, ...response.body }).toEqual({
      ...{ status, timestamp: expect.any(Number), desc, duration: expect.any(Number) },
    });
    expectOrder(response, ['timestamp', 'desc', 'duration']);
  }

  it('200 with the whole set after each change; an empty value removes its attribute', async () => {
    const first = await put('ann', { nickname: 'Ann & co', avatarurl: 'https://a.example/?x=1' });
    expect(first.status).toBe(200);
    expectOrder(first, ['timestamp', 'data', 'lastModified', 'duration']);
    expect(first.body.data).toEqual({ nickname: 'Ann & co', avatarurl: 'https://a.example/?x=1' });
    const second = await put('ANN', { nickname: 'Änn+1', ext: '{"a":[1]}', gender: '2' });
    const all = { nickname: 'Änn+1', avatarurl: 'https://a.example/?x=1', ext: '{"a":[1]}', gender: '2' };
    expect(second.body.data).toEqual(all);
    expect(second.body.lastModified).toBeGreaterThanOrEqual(first.body.lastModified as number);
    const third = await put('ann', 'avatarurl=&ext=&nothing=', `${formType};charset=UTF-8`);
    expect(third.body.data).toEqual({ nickname: 'Änn+1', gender: '2' });
    const read = await get('ann').expect(200);
    expectOrder(read, ['timestamp', 'data', 'lastModified', 'duration']);
    expect(read.body).toMatchObject({ data: third.body.data, lastModified: third.body.lastModified });
    expect(await usage()).toBe(Buffer.byteLength('nicknameÄnn+1gender2'));
  });

  it('200 with nothing for a user without attributes, and for an unknown name', async () => {
    for (const name of ['cat', 'nobody']) {
      const answer = await get(name).expect(200);
      expectOrder(answer, ['timestamp', 'data', 'duration']);
      expect(answer.body.data).toEqual({});
      const deleted = await running.call('delete', `/metadata/user/${name}`).expect(200);
      expectOrder(deleted, ['timestamp', 'duration', 'data']);
      expect(deleted.body.data).toBe(true);
    }
  });

  it('200 for a batch, by the names as requested, with the requested attributes', async () => {
    await put('bob', { nickname: 'Bob', mail: 'bob@example.com', own: '1' });
    const targets = ['Bob', 'cat', 'nobody', '__proto__'];
    const some = await running.call('post', '/metadata/user/get', { body: { targets, properties: ['mail', 'sign'] } });
    expect(some.status).toBe(200);
    expectOrder(some, ['timestamp', 'data', 'lastModified', 'duration']);
    expect(JSON.stringify(some.body.data)).toBe(
      '{"Bob":{"mail":"bob@example.com"},"cat":{},"nobody":{},"__proto__":{}}',
    );
    expect(some.body.lastModified).toEqual({ Bob: (await get('bob')).body.lastModified as number });
    const all = await running.call('post', '/metadata/user/get', { body: { targets: ['bob'] } });
    expect(all.body.data).toEqual({ bob: { nickname: 'Bob', mail: 'bob@example.com', own: '1' } });
  });

  it('400 for an invalid batch', async () => {
    const batch = (body: unknown) => running.call('post', '/metadata/user/get', { body });
    const names = Array.from({ length: 101 }, (_none, index) => `u${index}`);
    expectFailure(await batch({ targets: names }), 400, 'exceed allowed batch size 100');
    await batch({ targets: names.slice(1) }).expect(200);
    expectFailure(await batch({}), 400, 'targets is required: a list of users');
    expectFailure(await batch({ targets: [] }), 400, 'targets must not be empty');
    expectFailure(await batch({ targets: ['a'], properties: 'mail' }), 400, 'properties must be a list of names');
  });

  it('400 for an invalid attribute, and nothing changes', async () => {
    const before = (await get('ann')).body as unknown;
    for (const [form, desc] of [
      ['=x', 'the name of an attribute must not be empty'],
      ['__proto__=x', 'an attribute cannot be called __proto__'],
      ['gender=3&nickname=n', 'gender must be 0, 1, 2 or empty'],
      ['a=1&a=2', 'each field may appear only once in the form'],
      ['a=%ff', 'the body is not UTF-8'],
    ] as const)
      expectFailure(await put('ann', form), 400, desc);
    expect(await get('ann').then(({ body }) => body.data)).toEqual((before as { data: object }).data);
  });

  it('401 without a valid token, in the words of this service', async () => {
    for (const token of [null, 'garbage'])
      for (const answer of [
        await running.call('get', '/metadata/user/ann', { token }),
        await running.call('get', '/metadata/user/capacity', { token }),
        await running.call('post', '/metadata/user/get', { token, body: { targets: ['ann'] } }),
        await running.call('delete', '/metadata/user/ann', { token }),
        await put('ann', { nickname: 'x' }, formType, { token }),
      ])
        expectFailure(answer, 401, 'unauthorized');
  });

  it("403 for a value that is too long, for over 2 KB per user, and beyond the app's total", async () => {
    for (const [name, most] of Object.entries({
      nickname: 64,
      avatarurl: 256,
      phone: 32,
      mail: 64,
      sign: 256,
      birth: 64,
    })) {
      expectFailure(
        await put('cat', { [name]: '😀'.repeat(most + 1) }),
        403,
        `${name} must be at most ${most} characters`,
      );
      await put('cat', { [name]: 'é'.repeat(most) }).expect(200);
    }
    await running.call('delete', '/metadata/user/cat');
    const tooLarge = 'size of metadata for this single user exceeds the user defined limit, 2048Bytes';
    expectFailure(await put('cat', { ext: 'x'.repeat(2_046) }), 403, tooLarge);
    await put('cat', { ext: 'x'.repeat(2_045) }).expect(200);
    expectFailure(await put('cat', { a: 'b' }), 403, tooLarge);
    const names = Array.from({ length: 10 }, (_none, index) => `large-${index}`);
    for (const name of names) await running.register(name);
    const before = await usage();
    const answers = [];
    for (const name of names) answers.push(await put(name, { ext: 'x'.repeat(2_045) }));
    const refused = answers.filter(({ status }) => status !== 200);
    expectFailure(
      refused[0] as Response,
      403,
      'total size of user metadata for this app exceeds the user defined limit, 20000Bytes',
    );
    expect(await usage()).toBe(before + 2_048 * (names.length - refused.length));
    // Freed room is available at once.
    for (const name of names) await running.call('delete', `/users/${name}`).expect(200);
    expect(await usage()).toBe(before);
    await put('bob', { ext: 'x'.repeat(1_000) }).expect(200);
  });

  it('404 for setting attributes of an unknown user', async () => {
    expectFailure(await put('nobody', { nickname: 'x' }), 404, 'Service resource not found');
    const unknownApp = await running.call('get', '//no/app/metadata/user/ann');
    expectFailure(unknownApp, 404, 'Could not find application for no/app from URI: no/app/metadata/user/ann');
  });

  it('415 for a body with another Content-Type; one without a Content-Type is read', async () => {
    const json = 'application/json;charset=UTF-8';
    expectFailure(await put('ann', '{"nickname":"x"}', json), 415, `Content-Type '${json}' is not supported.`);
    const form = await running.call('post', '/metadata/user/get').set('content-type', formType).send('targets=ann');
    expectFailure(form, 415, `Content-Type '${formType}' is not supported.`);
    const untyped = await fetch(`${running.url}${running.path}/metadata/user/ann`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${running.token}` },
      body: new TextEncoder().encode('phone=1'),
    });
    expect(((await untyped.json()) as { data: object }).data).toHaveProperty('phone', '1');
  });

  it('200 once per Idempotency-Key', async () => {
    const key = { headers: { 'idempotency-key': 'attributes-1' } };
    const first = await put('ann', { own: 'first' }, formType, key);
    await put('ann', { own: 'second' });
    const again = await put('ann', { own: 'first' }, formType, key);
    expect([again.headers['idempotency-replayed'], again.text]).toEqual(['true', first.text]);
    expect((await get('ann')).body.data).toHaveProperty('own', 'second');
  });

  it('200 and the usage is exact after concurrent changes and deletions', async () => {
    const names = Array.from({ length: 12 }, (_none, index) => `racer-${index}`);
    for (const name of names) await running.register(name);
    await Promise.all(
      names.flatMap((name, index) => [
        put(name, { nickname: 'n'.repeat(1 + index) }),
        put(name, { ext: 'e'.repeat(20) }),
        put(name, { nickname: '', mail: 'm' }),
        index % 2 === 0 ? running.call('delete', `/users/${name}`) : running.call('delete', `/metadata/user/${name}`),
      ]),
    );
    const rows = await running.nest
      .get(Database)
      .read<{ attributes: string; bytes: number }>('SELECT attributes, bytes FROM user_attributes WHERE app_id = ?', [
        running.app.id,
      ]);
    for (const { attributes, bytes } of rows)
      expect(bytes).toBe(
        Buffer.byteLength(
          Object.entries(JSON.parse(attributes) as object)
            .flat()
            .join(''),
        ),
      );
    expect(await usage()).toBe(rows.reduce((sum, { bytes }) => sum + bytes, 0));
  });

  it('200 and a new owner of the name has none of them', async () => {
    await running.register('reborn');
    const before = await usage();
    await put('reborn', { nickname: 'old' }).expect(200);
    await running.call('delete', '/users/reborn').expect(200);
    expect(await usage()).toBe(before);
    await running.register('reborn');
    expect((await get('reborn')).body.data).toEqual({});
  });
});
