import { AppsService } from '../../src/apps/apps.service.js';
import { aUsername } from '../factories/user.factory.js';
import { RawConnection, type WireAnswer } from '../support/raw-connection.js';
import { type RunningApp, startApp } from '../support/start-app.js';
import { absent, flows, someNumber, someText, type Step } from './recorded-requests.js';

/** Client libraries that cannot run here, represented by the requests that they send. */
describe.each(flows)('requests of $client', ({ steps }) => {
  let service: RunningApp;
  let names: Record<string, string>;

  beforeAll(async () => {
    service = await startApp({ settings: { open_registration: 'true', user_tokens: 'true' } });
    const pair = { client_id: 'YXA6example', client_secret: 'YXA6example-secret' };
    await service.nest.get(AppsService).setAll(service.app, Object.entries(pair));
    const { org, name: app, appId, certificates } = service.app;
    names = {
      ...{ p: service.path, token: service.token, org, app, appId, certificate: certificates[0] as string },
      ...{ clientId: pair.client_id, clientSecret: pair.client_secret },
      ...{ u1: aUsername('a'), u2: aUsername('b'), u3: aUsername('c') },
    };
  });
  afterAll(() => service.stop());

  const filled = (text: string) => text.replace(/\{(\w+)\}/g, (whole, name: string) => names[name] ?? whole);

  async function send({ sends }: Step): Promise<WireAnswer> {
    const [head = '', ...body] = filled(sends).split('\n\n');
    const [line = '', ...headers] = head.split('\n');
    const text = body.join('\n\n');
    const ownLength = headers.some((header) => /^(no length|content-length:)/i.test(header));
    const sent = [
      `${line} HTTP/1.1`,
      `Host: ${new URL(service.url).host}`,
      ...headers.filter((header) => header !== 'no length'),
      ...(ownLength || text === '' ? [] : [`Content-Length: ${Buffer.byteLength(text)}`]),
    ];
    const connection = await RawConnection.open(service.url);
    connection.send(`${sent.join('\r\n')}\r\n\r\n${text}`);
    const answer = await connection.answer();
    connection.end();
    if (answer === null) throw new Error(`no answer to ${line}`);
    return answer;
  }

  it.each(steps.map((step) => [step.sends.split('\n', 1)[0] as string, step] as const))('%s', async (_line, step) => {
    const answer = await send(step);
    expect({ status: answer.status, text: answer.text }).toEqual({ status: step.status ?? 200, text: answer.text });
    const body = JSON.parse(answer.text) as unknown;
    for (const [path, expected] of Object.entries(step.reads ?? {}))
      expect([path, memberOf(body, filled(path))]).toEqual([path, wanted(expected)]);
    for (const [name, path] of Object.entries(step.keeps ?? {})) names[name] = String(memberOf(body, filled(path)));
  });

  function wanted(expected: unknown): unknown {
    if (expected === someText) return expect.stringMatching(/./);
    if (expected === someNumber) return expect.any(Number);
    if (expected === absent) return undefined;
    return typeof expected === 'string' ? filled(expected) : expected;
  }
});

function memberOf(body: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], body);
}
