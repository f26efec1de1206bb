import { request as httpRequest } from 'node:http';
import { type QiscusService, seedSecret, startQiscus } from './qiscus-service.js';

let service: QiscusService;

beforeAll(async () => {
  service = await startQiscus();
});
afterAll(() => service.stop());

interface Line {
  readonly method: string;
  readonly path: string;
  /** The examples exactly as written, one by one. */
  readonly headers: readonly string[];
  readonly body?: string;
}

/** What curl sends for a line of the vendor's documents: its headers exactly as written, and no others. */
function curl({ method, path, headers, body }: Line): Promise<{ status: number; type: string; text: string }> {
  return new Promise((resolve, reject) => {
    const raw = headers.flatMap((line) => /^([^:]+): (.*)$/.exec(line)?.slice(1) ?? []);
    const length = body === undefined ? [] : ['content-length', String(Buffer.byteLength(body))];
    const sent = httpRequest(
      `${service.running.url}/api/v2.1/rest/${path}`,
      { method, headers: ['host', new URL(service.running.url).host, 'accept', '*/*', ...raw, ...length] as never },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const json = 'Content-Type: application/json';
const appId = 'QISCUS-SDK-APP-ID: sdksample';
const secret = `QISCUS-SDK-SECRET: ${seedSecret}`;
const underscored = `QISCUS_SDK_SECRET: ${seedSecret}`;

async function results(line: Line): Promise<unknown> {
  const { status, type, text } = await curl(line);
  expect(status).toBe(200);
  expect(type).toMatch(/^application\/json/);
  const { results: found, ...envelope } = JSON.parse(text) as { results: unknown; status: number };
  expect(envelope).toEqual({ status: 200 });
  return found;
}

const guest99 = {
  active: true,
  avatar_url: 'https://image.url/image.jpeg',
  extras: {},
  user_id: 'guest99@qiscus.com',
  username: 'QISCUS demo user',
};

describe('the documents of v2.1', () => {
  test('200 POST /login_or_register creates the user, byte for byte in the order of the example', async () => {
    const line = {
      method: 'POST',
      path: 'login_or_register',
      headers: [json, appId, secret],
      body: `{
"user_id": "guest99@qiscus.com",
"password": "password",
"username": "QISCUS demo user",
"avatar_url": "https://image.url/image.jpeg"
}`,
    };
    const { text } = await curl(line);
    expect(text).toBe(JSON.stringify({ results: { user: guest99 }, status: 200 }));
    // Repeated: the same user, the same answer.
    expect((await curl(line)).text).toBe(text);
  });

  test('200 GET /user_profile with the header spellings mixed and a Content-Type without a body', async () => {
    await service.login('guest@qiscus.com', { username: 'Qiscus Demo', avatar_url: 'https://example.com/blank.jpg' });
    expect(
      await results({
        method: 'GET',
        path: 'user_profile?user_id=guest@qiscus.com',
        headers: [json, appId, underscored],
      }),
    ).toEqual({
      user: {
        active: true,
        avatar_url: 'https://example.com/blank.jpg',
        extras: {},
        user_id: 'guest@qiscus.com',
        username: 'Qiscus Demo',
      },
    });
  });

  test('200 POST /reset_user_token answers 20 characters', async () => {
    await service.login('guest2@qiscus.com', { username: 'guest2' });
    expect(
      await results({
        method: 'POST',
        path: 'reset_user_token',
        headers: [json, appId, secret],
        body: '{\n"user_id": "guest2@qiscus.com"\n}',
      }),
    ).toEqual({ token: expect.stringMatching(/^[A-Za-z0-9]{20}$/) });
  });

  test('200 GET /get_user_list?page=1&limit=2 with total_page rounded down', async () => {
    await service.login('rere', { username: 'rere', extras: { user_type: 'agent' } });
    const found = await results({
      method: 'GET',
      path: 'get_user_list?page=1&limit=2',
      headers: [appId, underscored],
    });
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(found).toEqual({
      meta: { total_data: 4, total_page: 2 },
      users: ['rere', 'guest2@qiscus.com'].map((email) => ({
        active: true,
        avatar_url: '',
        created_at: time,
        email,
        extras: email === 'rere' ? { user_type: 'agent' } : {},
        id: expect.any(Number),
        name: email.replace('@qiscus.com', ''),
        updated_at: time,
        username: email.replace('@qiscus.com', ''),
      })),
    });
    const [user] = (found as { users: object[] }).users;
    expect(Object.keys(user as object)).toEqual(Object.keys(user as object).sort());
  });
});

describe('the documents of the latest version', () => {
  test('200 the secret is enough, as only one app has it', async () => {
    expect(
      await results({
        method: 'POST',
        path: 'login_or_register',
        headers: [json, underscored],
        body: '{"user_id":"johnny","username":"Johnny Cage","avatar_url":"https://myimagebucket.com/image.jpg"}',
      }),
    ).toEqual({
      user: {
        active: true,
        avatar_url: 'https://myimagebucket.com/image.jpg',
        extras: {},
        user_id: 'johnny',
        username: 'Johnny Cage',
      },
    });
  });

  test('200 GET /get_user_list with an order_query as printed', async () => {
    const { users } = (await results({
      method: 'GET',
      path: `get_user_list?page=1&limit=100&order_query=${encodeURIComponent('created_at desc nulls last')}`,
      headers: [underscored, appId],
    })) as { users: { id: number }[] };
    expect(users.map((user) => user.id)).toEqual(users.map((user) => user.id).sort((one, other) => other - one));
  });

  test('200 GET /get_unread_users and /get_user_unread_count have their members', async () => {
    const headers = [underscored, appId];
    expect(await results({ method: 'GET', path: 'get_unread_users?page=1', headers })).toEqual({ user_ids: [] });
    expect(
      await results({ method: 'GET', path: 'get_user_unread_count?user_ids[]=johnny&user_ids[]=nobody', headers }),
    ).toEqual({ user_unread_count: [{ unread_count: 0, user_id: 'johnny' }] });
  });
});
