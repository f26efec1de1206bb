import { request as httpRequest } from 'node:http';
import request from 'supertest';
import { type QiscusService, invalid, refused, seedSecret, startQiscus } from './qiscus-service.js';

let service: QiscusService;

beforeAll(async () => {
  service = await startQiscus();
  for (const name of ['anna', 'ben', 'cleo d']) await service.login(name.replace(' ', '-'));
});
afterAll(() => service.stop());

const form = 'application/x-www-form-urlencoded';
const idsOf = (response: { body: any }): string[] =>
  response.body.results.user_unread_count.map((one: { user_id: string }) => one.user_id);

interface RawCall {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly chunked?: boolean;
}

/** Sends a request byte for byte, as supertest sends no body with a GET. */
function send({ method = 'GET', path, headers = {}, body = '', chunked = false }: RawCall): Promise<any> {
  return new Promise((resolve, reject) => {
    const length = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(Buffer.byteLength(body)) };
    const all = { 'QISCUS-SDK-APP-ID': 'sdksample', QISCUS_SDK_SECRET: seedSecret, ...length, ...headers };
    const sent = httpRequest(`${service.running.url}/api/v2.1/rest/${path}`, { method, headers: all }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
    });
    sent.on('error', reject);
    if (chunked) for (const part of body.match(/.{1,10}/gs) ?? []) sent.write(part);
    else if (body !== '') sent.write(body);
    sent.end();
  });
}

function multipart(pairs: readonly (readonly [string, string])[]): { headers: Record<string, string>; body: string } {
  const boundary = 'XyZ';
  const parts = pairs.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: `${parts.join('')}--${boundary}--\r\n`,
  };
}

describe('every encoding of a login', () => {
  const expected = (userId: string) => ({
    results: {
      user: { active: true, avatar_url: 'https://a/b?c=d&e', extras: { a: 1 }, user_id: userId, username: 'Ä b+c' },
    },
    status: 200,
  });
  const fields = (userId: string) => ({ user_id: userId, username: 'Ä b+c', avatar_url: 'https://a/b?c=d&e' });

  test('200 E1: JSON with extras as an object or as text', async () => {
    for (const [userId, extras] of [['e1', { a: 1 }] as const, ['e1b', '{"a":1}'] as const])
      expect((await service.rest('post', 'login_or_register').send({ ...fields(userId), extras })).body).toEqual(
        expected(userId),
      );
  });

  test('200 E2: a form, even without a form Content-Type', async () => {
    const body = (userId: string) =>
      new URLSearchParams({ ...fields(userId), extras: '{"a":1}', password: '' }).toString();
    expect((await service.rest('post', 'login_or_register').type(form).send(body('e2'))).body).toEqual(expected('e2'));
    expect((await send({ method: 'POST', path: 'login_or_register', body: body('e2b') })).body).toEqual(
      expected('e2b'),
    );
  });

  test('200 E3: multipart', async () => {
    const test = service.rest('post', 'login_or_register');
    for (const [name, value] of Object.entries({ ...fields('e3'), extras: '{"a":1}' })) void test.field(name, value);
    expect((await test).body).toEqual(expected('e3'));
  });

  test("200 JSON with curl's default form Content-Type, and JSON without a Content-Type", async () => {
    const body = (userId: string) => JSON.stringify({ ...fields(userId), extras: { a: 1 } });
    for (const [userId, headers] of [['e1c', { 'content-type': form }] as const, ['e1d', {}] as const])
      expect((await send({ method: 'POST', path: 'login_or_register', headers, body: body(userId) })).body).toEqual(
        expected(userId),
      );
  });

  test('200 a Content-Type without a parser is ignored', async () => {
    const headers = { 'content-type': 'application/vnd.nobody; charset="' };
    const body = JSON.stringify(fields('e1e'));
    expect((await send({ method: 'POST', path: 'login_or_register', headers, body })).status).toBe(200);
  });

  test('200 the query overrides the body', async () => {
    const test = service.rest('post', 'login_or_register').query({ username: 'from the query' });
    expect((await test.send({ user_id: 'both', username: 'from the body' })).body.results.user.username).toBe(
      'from the query',
    );
  });

  test('200 numbers and booleans are accepted in place of text', async () => {
    const { body } = await service.rest('post', 'login_or_register').send({ user_id: 628123456789, username: true });
    expect(body.results.user).toMatchObject({ user_id: '628123456789', username: 'true' });
    expect((await service.rest('get', 'user_profile').query({ user_id: 628123456789 })).status).toBe(200);
  });
});

describe('every encoding of a list', () => {
  test.each([
    ['E4: k[]', 'user_ids[]=anna&user_ids[]=ben'],
    ['E4: k[], percent-encoded', 'user_ids%5B%5D=anna&user_ids%5B%5D=ben'],
    ['E5: k[N]', 'user_ids%5B0%5D=anna&user_ids%5B1%5D=ben'],
    ['k repeated', 'user_ids=anna&user_ids=ben'],
    ['all of them mixed', 'user_ids=anna&user_ids[]=ben&user_ids[7]=nobody'],
  ])('200 %s', async (_name, query) => {
    expect(idsOf(await send({ path: `get_user_unread_count?${query}` }))).toEqual(['anna', 'ben']);
  });

  test('200 a single value is a list, in the query and in JSON', async () => {
    expect(idsOf(await send({ path: 'get_user_unread_count?user_ids=anna' }))).toEqual(['anna']);
    expect(idsOf(await send({ path: 'get_user_unread_count', body: '{"user_ids":"anna"}' }))).toEqual(['anna']);
  });

  test('200 the answer keeps the order of the request, each user once', async () => {
    expect(idsOf(await send({ path: 'get_user_unread_count?user_ids=ben&user_ids=ANNA&user_ids=Ben' }))).toEqual([
      'ben',
      'anna',
    ]);
  });

  test('200 E8: DELETE with a JSON body, and E2 and E3 with one as well', async () => {
    const json = { headers: { 'content-type': 'application/json' }, body: '{"user_ids":["anna"]}' };
    const asForm = { headers: { 'content-type': form }, body: 'user_ids%5B%5D=anna' };
    for (const encoded of [json, asForm, multipart([['user_ids[]', 'anna']])])
      expect(await send({ method: 'DELETE', path: 'deactivate_users', ...encoded })).toEqual({
        status: 200,
        body: { results: { message: 'successfully deactivate user' }, status: 200 },
      });
    expect((await service.rest('post', 'reactivate_users').send({ 'user_ids[]': ['anna'] })).status).toBe(200);
  });
});

describe('a GET with its parameters in the body', () => {
  test('200 E6: multipart', async () => {
    const encoded = multipart([
      ['page', '1'],
      ['limit', '2'],
      ['order_query', 'email asc, created_at desc'],
      ['show_all', ''],
    ]);
    const { body } = await send({ path: 'get_user_list', ...encoded });
    expect(body.results.users.map((user: any) => user.email)).toEqual(['628123456789', 'anna']);
  });

  test('200 E7: JSON or a form, whole or in chunks', async () => {
    const json = { headers: { 'content-type': 'application/json' }, body: '{"user_ids":["anna","cleo-d"]}' };
    const asForm = { headers: { 'content-type': form }, body: 'user_ids[]=anna&user_ids[]=cleo-d' };
    for (const chunked of [false, true])
      for (const encoded of [json, asForm])
        expect(idsOf(await send({ path: 'get_user_unread_count', chunked, ...encoded }))).toEqual(['anna', 'cleo-d']);
  });

  test('413 when it is too large', async () => {
    const body = `user_id=${'a'.repeat(70_000)}`;
    for (const chunked of [false, true])
      expect(await send({ path: 'user_profile', body, chunked })).toEqual({
        status: 413,
        body: refused(413),
      });
  });

  test('200 a GET with a Content-Type and no body, also on the routes of the other dialect', async () => {
    const headers = { 'content-type': 'application/json' };
    expect((await send({ path: 'user_profile?user_id=anna', headers })).status).toBe(200);
    expect((await service.running.call('get', '/users', { headers })).status).toBe(200);
  });
});

describe('malformed input', () => {
  test.each<[string, RawCall, string[]]>([
    ['JSON that ends early', { path: '', body: '{"user_id":' }, ['body']],
    [
      'text with a JSON Content-Type',
      { path: '', headers: { 'content-type': 'application/json' }, body: 'hello' },
      ['body'],
    ],
    ['a JSON list', { path: '', body: '[1]' }, ['body']],
    ['a member given twice', { path: '', body: '{"user_id":"a","user_id":"b"}' }, ['body']],
    [
      'multipart without a boundary',
      { path: '', headers: { 'content-type': 'multipart/form-data' }, body: 'x' },
      ['body'],
    ],
    [
      'multipart that ends early',
      { path: '', headers: { 'content-type': 'multipart/form-data; boundary=b' }, body: '--b\r\nContent-Disp' },
      ['body'],
    ],
    ['an object in place of text', { path: '', body: '{"user_id":{"$ne":1},"username":"x"}' }, ['user_id']],
    ['a text parameter given twice', { path: '', body: 'user_id=a&user_id=b&username=x' }, ['user_id']],
    ['extras that are not an object', { path: '', body: '{"user_id":"a","username":"x","extras":"[1]"}' }, ['extras']],
    ['extras with __proto__', { path: '', body: 'user_id=a&username=x&extras={"__proto__":{}}' }, ['extras']],
    ['over 1,024 parameters', { path: '', body: 'a=1&'.repeat(1_100) }, ['body']],
  ])('400 %s', async (_name, call, members) => {
    const { status, body } = await send({ ...call, method: 'POST', path: 'login_or_register' });
    expect({ status, body }).toEqual({ status: 400, body: invalid(members) });
  });

  test('400 every problem is reported at once', async () => {
    const { body } = await service.rest('post', 'login_or_register').send({ extras: 'x' });
    expect(body).toEqual(invalid(['user_id', 'username', 'extras']));
    expect(body.error.message).toBe(body.error.detailed_messages.join(', '));
  });
});

describe('headers', () => {
  const profile = () => request(service.running.url).get('/api/v2.1/rest/user_profile?user_id=anna');
  test.each<[string, Record<string, string>]>([
    ['dashes', { 'QISCUS-SDK-APP-ID': 'sdksample', 'QISCUS-SDK-SECRET': seedSecret }],
    ['underscores', { QISCUS_SDK_APP_ID: 'sdksample', QISCUS_SDK_SECRET: seedSecret }],
    ['one spelling for each', { QISCUS_SDK_APP_ID: 'sdksample', 'QISCUS-SDK-SECRET': seedSecret }],
    ['lower case', { qiscus_sdk_app_id: 'sdksample', 'qiscus-sdk-secret': seedSecret }],
    ['as Go writes them', { Qiscus_sdk_app_id: 'sdksample', Qiscus_sdk_secret: seedSecret.toUpperCase() }],
    ['both mixed in one name', { 'qiscus_sdk-app-id': 'sdksample', 'qiscus-sdk_secret': seedSecret }],
    ['the app by the sub-domain', { host: 'sdksample.qiscus.com', QISCUS_SDK_SECRET: seedSecret }],
    ['the app by the secret alone', { QISCUS_SDK_SECRET: seedSecret }],
  ])('200 %s', async (_name, headers) => {
    expect((await profile().set(headers)).status).toBe(200);
  });

  test('200 the App ID in any case, as header and as sub-domain', async () => {
    for (const id of [service.app.appId, service.app.appId.toUpperCase()])
      for (const headers of [{ 'QISCUS-SDK-APP-ID': id }, { host: `${id}.example.com:8080` }])
        expect((await profile().set({ ...headers, QISCUS_SDK_SECRET: seedSecret } as never)).status).toBe(200);
  });
});
