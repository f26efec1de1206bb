import request from 'supertest';
import { UsersService } from '../../../src/users/users.service.js';
import { type QiscusService, invalid, seedSecret, startQiscus } from './qiscus-service.js';

let service: QiscusService;

beforeAll(async () => {
  service = await startQiscus();
});
afterAll(() => service.stop());

const json = 'application/json';
const form = 'application/x-www-form-urlencoded';
/** Bytes are sent as they are, which supertest only does with text. */
const login = async (body: string | Buffer, type = json, more: Readonly<Record<string, string>> = {}) => {
  const response = await fetch(`${service.running.url}/api/v2.1/rest/login_or_register`, {
    method: 'POST',
    headers: { 'qiscus-sdk-app-id': 'sdksample', 'qiscus-sdk-secret': seedSecret, 'content-type': type, ...more },
    body: new Uint8Array(Buffer.from(body as string)),
  });
  const text = await response.text();
  return { status: response.status, text, body: JSON.parse(text) };
};
const profile = (userId: string) => service.rest('get', 'user_profile').query({ user_id: userId });

describe('numbers', () => {
  test('200 two ids that are equal as doubles are two users, and the right one is banned', async () => {
    const ids = ['9007199254740992', '9007199254740993'];
    for (const id of ids) {
      const response = await login(`{"user_id":${id},"username":"${id}"}`);
      expect(response.body.results.user.user_id).toBe(id);
    }
    await service.rest('delete', 'deactivate_users').type(json).send(`{"user_ids":[${ids[1]}]}`).expect(200);
    const active = await Promise.all(ids.map(async (id) => (await profile(id)).body.results.user.active as boolean));
    expect(active).toEqual([true, false]);
  });

  test.each([
    ['6.28111222333E11', '628111222333'],
    ['628111222334.0', '628111222334'],
    ['12345678901234567890', '12345678901234567890'],
  ])('200 the id %s is %s', async (written, id) => {
    expect((await login(`{"user_id":${written},"username":"x"}`)).body.results.user.user_id).toBe(id);
  });

  test.each(['9007199254740993.0', '0.1000000000000000055', '1e-400', '1e400'])('400 the id %s', async (written) => {
    const response = await login(`{"user_id":${written},"username":"x"}`);
    expect({ status: response.status, errors: response.body.error.message }).toMatchObject({ status: 400 });
  });

  test('200 extras come back digit for digit, from every route and in a replayed answer', async () => {
    const extras = '{"order":1688888483063664642,"list":[1.0,-0,1E5,1e-400,0.10],"text":"\\ud800 1.0"}';
    const key = { 'idempotency-key': 'exact' };
    const body = `{"user_id":"exact","username":"x","password":"p","extras":${extras}}`;
    for (const response of [
      await login(body, json, key),
      await login(body, json, key),
      await login(body),
      await login(`{"user_id":"exact","username":"x","password":"p","extras":${JSON.stringify(extras)}}`),
      await profile('exact'),
      await service.rest('get', 'get_user_list'),
    ])
      expect(response.text).toContain(`"extras":${extras}`);
    const sdk = await request(service.running.url)
      .post('/api/v2/sdk/login_or_register')
      .set('qiscus-sdk-app-id', 'sdksample')
      .send({ email: 'exact', password: 'p' });
    expect(sdk.text).toContain(`"extras":${extras}`);
  });
});

describe('text that is not UTF-8', () => {
  const multipart = (value: Buffer, type = '') =>
    Buffer.concat([
      Buffer.from(`--b\r\ncontent-disposition: form-data; name="user_id"\r\n\r\nlatin\r\n--b\r\n${type}`),
      Buffer.from('content-disposition: form-data; name="username"\r\n\r\n'),
      value,
      Buffer.from('\r\n--b--\r\n'),
    ]);

  test.each<[string, string | Buffer, string]>([
    ['a form', 'user_id=latin&username=x&password=caf%E9', form],
    ['a form of bytes', Buffer.from('user_id=latin&username=caf\xe9', 'latin1'), form],
    ['a name in a form', 'user_id=latin&username=x&%ff=1', form],
    ['a form in an unknown charset', 'user_id=latin&username=x', `${form}; charset=nonsense`],
    ['a form in UTF-16', 'user_id=latin&username=x', `${form}; charset=utf-16le`],
    ['multipart', multipart(Buffer.from('caf\xe9', 'latin1')), 'multipart/form-data; boundary=b'],
    ['JSON', Buffer.from('{"user_id":"latin","username":"\xe9"}', 'latin1'), json],
    ['JSON in UTF-16', Buffer.from('{"user_id":"latin","username":"x"}', 'utf16le'), `${json}; charset=utf-16`],
  ])('400 %s', async (_what, body, type) => {
    const response = await login(body, type);
    expect({ status: response.status, body: response.body }).toEqual({ status: 400, body: invalid(['body']) });
    expect((await profile('latin')).status).toBe(404);
  });

  test('400 in the query', async () => {
    for (const query of ['user_id=%E9', 'user_id=a&%ff=1', 'user_ids[]=%C3'])
      expect((await request(service.running.url).get(`/api/v2.1/rest/user_profile?${query}`)).body).toEqual(
        invalid(['request']),
      );
  });

  test.each<[string, string | Buffer, string]>([
    ['a form', 'user_id=cafe&username=caf%E9', `${form}; charset=iso-8859-1`],
    ['JSON', Buffer.from('{"user_id":"cafe","username":"caf\xe9"}', 'latin1'), `${json}; charset="ISO-8859-1"`],
    ['multipart', multipart(Buffer.from('caf\xe9', 'latin1')), 'multipart/form-data; boundary=b; charset=latin1'],
  ])('200 %s in its declared charset', async (_what, body, type) => {
    await service.running.nest
      .get(UsersService)
      .delete(service.app.id, 'cafe')
      .catch(() => undefined);
    await service.running.nest
      .get(UsersService)
      .delete(service.app.id, 'latin')
      .catch(() => undefined);
    expect((await login(body, type)).body.results.user.username).toBe('café');
  });

  test('401 passwords that differ in such a byte are different', async () => {
    await service.login('anna');
    const change = (password: string) => login(`user_id=anna&username=a&password=${password}`, form);
    expect((await change('caf%C3%A9')).status).toBe(200);
    const sdk = (password: string) =>
      request(service.running.url)
        .post('/api/v2/sdk/login_or_register')
        .set('qiscus-sdk-app-id', 'sdksample')
        .type(form)
        .send(`email=anna&password=${password}`);
    expect((await sdk('caf%C3%A9')).status).toBe(200);
    for (const other of ['caf%E9', 'caf%E8', 'caf%FF']) expect((await sdk(other)).status).toBe(400);
    expect((await sdk('caf%EF%BF%BD')).status).toBe(401);
  });

  test.each(['username', 'password', 'avatar_url', 'user_id'])('400 half a surrogate in %s', async (member) => {
    const response = await login(JSON.stringify({ user_id: 'half', username: 'x', [member]: 'a\ud800' }));
    expect(response.status).toBe(400);
    expect((await profile('half')).status).toBe(404);
  });
});

describe('empty input', () => {
  test.each(['[]', '""', 'null', ' \r\n\t'])('200 the body %j of a call that needs none', async (body) => {
    await service.login('bea');
    const get = (path: string) => service.rest('get', path).type(json).send(body);
    expect((await get('user_profile?user_id=bea')).status).toBe(200);
    expect((await service.rest('post', 'get_user_list').type(json).send(body)).status).toBe(200);
    expect((await service.rest('delete', 'deactivate_users?user_ids[]=bea').type(json).send(body)).status).toBe(200);
    expect((await service.rest('post', 'reactivate_users?user_ids=bea').type(json).send(body)).status).toBe(200);
  });

  test.each(['[1]', '"text"', '0', 'true', '{', '[[]]'])('400 the body %j', async (body) => {
    const response = await service.rest('post', 'get_user_list').type(json).send(body);
    expect({ status: response.status, body: response.body }).toEqual({ status: 400, body: invalid(['body']) });
  });

  test('200 extras from PHP: an empty list is an empty object', async () => {
    const send = (extras: string) => login(`{"user_id":"php","username":"x","password":"p"${extras}}`);
    for (const [extras, kept] of [
      [',"extras":{"a":1}', { a: 1 }],
      [',"extras":null', { a: 1 }],
      [',"extras":""', { a: 1 }],
      [',"extras":"null"', { a: 1 }],
      [',"extras":[]', {}],
      [',"extras":{"a":2}', { a: 2 }],
      [',"extras":"[]"', {}],
    ] as const)
      expect((await send(extras)).body.results.user.extras).toEqual(kept);
    expect((await send(',"extras":[1]')).body).toEqual(invalid(['extras']));
  });
});
