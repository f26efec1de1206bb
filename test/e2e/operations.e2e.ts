import { Agent } from 'node:http';
import { agoraErrors, expectError } from '../support/agora-answers.js';
import { rawCall } from '../support/raw-call.js';
import { type RunningApp, startApp } from '../support/start-app.js';
import { isTwinRoute } from '../support/route-access.js';

const metricsToken = 'a-token-for-metrics';

describe('operations', () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startApp({ env: { METRICS_TOKEN: metricsToken } });
  });
  afterAll(() => running.stop());

  const get = (path: string, token: string | null = null) => running.call('get', `/${path}`, { token });

  it('200 for /health/live', async () => {
    expect((await get('/health/live')).body).toEqual({ status: 'ok' });
  });

  it('200 for /health/ready while the database answers', async () => {
    let response = await get('/health/ready');
    // On a busy machine the first Redis commands may time out, and then Redis is not asked again for a second.
    const until = performance.now() + 5_000;
    while (globalThis.rollcallRedis && response.body.redis !== 'up' && performance.now() < until)
      response = await get('/health/ready');
    expect(response.status).toBe(200);
    expect(response.body).toEqual({
      status: 'ok',
      database: 'up',
      redis: globalThis.rollcallRedis ? 'up' : 'not configured',
      draining: false,
    });
  });

  it('401 for /metrics without its token', async () => {
    expectError(await get('/metrics'), agoraErrors.noToken);
    expectError(await get('/metrics', 'wrong'), agoraErrors.foreign);
    expectError(await get('/metrics', running.token), agoraErrors.foreign);
  });

  it('200 for /metrics: requests by route and status, and no name chosen by a caller', async () => {
    await running.call('get', '/users/canary-name');
    await get('/canary-org/canary-app/canary');
    const { status, text, headers } = await get('/metrics', metricsToken);
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toMatch(
      /rollcall_http_requests_total\{method="GET",route="\/:org\/:app\/users\/:username",status="404"\} \d/,
    );
    for (const name of [
      'rollcall_http_request_duration_seconds_bucket',
      'rollcall_database_writes_waiting',
      'rollcall_password_hashes_running',
      'rollcall_password_hashes_waiting',
      'rollcall_rate_limit_rejections_total',
    ])
      expect(text).toContain(name);
    expect(text).not.toContain('canary');
  });

  it('200 for the API documents: a page, and JSON that lists every route of the dialect', async () => {
    const page = await get('/docs');
    expect(page.status).toBe(200);
    expect(page.text).toContain('Rollcall API');
    const { body } = await get('/docs/openapi.json');
    expect(body.openapi).toMatch(/^3\./);
    const described = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    );
    const served = running.routes.routes
      .filter(({ method, url }) => !['HEAD', 'OPTIONS'].includes(method) && !url.startsWith('/docs') && url !== '*')
      .map(({ method, url }) => `${method} ${url}`)
      .filter((route) => !isTwinRoute(route));
    expect(described.sort()).toEqual([...new Set(served)].sort());
  });

  it('200 behind a proxy with its PUBLIC_URL, path included, in the documents and in uri', async () => {
    const behind = await startApp({ env: { PUBLIC_URL: 'https://chat.example.com/rollcall/' } });
    const { body: document } = await behind.call('get', '//docs/openapi.json');
    expect(document.servers).toEqual([{ url: 'https://chat.example.com/rollcall' }]);
    const { body } = await behind.call('get', '/users/');
    expect(body.uri).toBe(`https://chat.example.com/rollcall${behind.path}/users`);
    await behind.stop();
    const { body: plain } = await running.call('get', '//docs/openapi.json');
    expect(plain.servers).toEqual([]);
  });

  it('200 on a connection kept open for longer than load balancers keep theirs', async () => {
    const answer = await rawCall(running.url, 'GET', '/health/live', { agent: new Agent({ keepAlive: true }) });
    expect(answer.headers['keep-alive']).toBe('timeout=620');
  });

  it('503 for /health/ready while the node is draining, and 200 for everything else', async () => {
    const { Readiness } = await import('../../src/http/readiness.js');
    running.nest.get(Readiness).startDraining();
    const ready = await get('/health/ready');
    expect(ready.status).toBe(503);
    expect(ready.headers['retry-after']).toBe('1');
    expect(ready.body).toMatchObject({ status: 'unavailable', draining: true });
    const served = await running.call('get', '/users');
    expect(served.status).toBe(200);
    expect(served.headers.connection).toBe('close');
    expect((await get('/health/live')).status).toBe(200);
  });
});
