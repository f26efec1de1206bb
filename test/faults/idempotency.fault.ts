import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { aBootstrapApp } from '../factories/app.factory.js';
import { aUsername } from '../factories/user.factory.js';
import { runs } from '../support/form.js';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

const clients = 10;
const kills = runs(1, 500);
const withinMs = runs(120_000, 2_400_000);

describe('a call with an Idempotency-Key that is repeated until it is answered', () => {
  const app = aBootstrapApp();
  let database: TestDatabase;
  let service: ServiceProcess;

  afterAll(() => ServiceProcess.killAll());
  afterEach(async () => {
    await service.kill();
    await database.drop();
  });

  it.each(['sqlite', 'mariadb'] as const)(
    'has one effect and one answer, whenever the service is killed with -9, on %s',
    async (engine) => {
      database = await createDatabase(engine);
      const env = { DATABASE_URL: database.url, BOOTSTRAP_APPS: app.text, PASSWORD_COST: 'm=8,t=1,p=1' };
      service = await ServiceProcess.start(env);
      await removeLimits(app, env, 'offline_messages_per_user=100000');
      const token = tokenOf(app);
      const call = (method: string, path: string, body?: unknown, key?: string) =>
        fetch(`${service.url}/${app.org}/${app.name}${path}`, {
          method,
          headers: { authorization: `Bearer ${token}`, ...(key === undefined ? {} : { 'idempotency-key': key }) },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });

      const receiver = aUsername();
      expect((await call('POST', '/users', { username: receiver, password: 'p' })).status).toBe(200);
      let stopped = false;
      let repeats = 0;
      const sent: string[] = [];
      const registered = [receiver];
      /** Like a careful app server: repeats the same call with the same key until there is an answer. */
      const callUntilAnswered = async (path: string, body: unknown): Promise<Record<string, any>> => {
        const key = randomUUID();
        for (;;) {
          try {
            const answer = await call('POST', path, body, key);
            const text = await answer.text();
            if (answer.status === 200) {
              const again = await call('POST', path, body, key).then(
                (response) => response.text(),
                () => text,
              );
              // Down, busy with the first call, or replaying the first answer.
              if (!/database|please try again|has not been answered/.test(again)) expect(again).toBe(text);
              return JSON.parse(text) as Record<string, any>;
            }
            expect([409, 503]).toContain(answer.status);
          } catch (error) {
            if ((error as { matcherResult?: unknown }).matcherResult !== undefined) throw error;
            await sleep(50);
          }
          repeats += 1;
        }
      };
      const client = async (): Promise<void> => {
        while (!stopped) {
          const username = aUsername();
          expect((await callUntilAnswered('/users', { username, password: 'p' }))['entities']).toMatchObject([
            { username },
          ]);
          registered.push(username);
          const message = { from: username, to: [receiver], type: 'txt', body: { msg: username } };
          sent.push((await callUntilAnswered('/messages/users', message))['data'][receiver] as string);
        }
      };
      const working = Promise.all(Array.from({ length: clients }, client));
      for (let round = 0; round < kills; round += 1) {
        for (const until = sent.length + randomInt(1, 40); sent.length < until;) await sleep(1);
        await service.kill();
        service = await ServiceProcess.start(env);
      }
      stopped = true;
      await working;
      console.log(`${engine}: ${kills} kills, ${sent.length} messages, ${repeats} repeated calls`);
      expect(repeats).toBeGreaterThan(0);
      expect(new Set(sent).size).toBe(sent.length);
      const count = (await (await call('GET', `/users/${receiver}/offline_msg_count`)).json()) as Record<string, any>;
      expect(count['data'][receiver]).toBe(sent.length);
      // An entry for each change that was acknowledged, and none for what was not made or was repeated.
      const audited: string[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined;) {
        const query = new URLSearchParams({ action: 'user.register', limit: '100', cursor });
        const page = (await (await call('GET', `/audit?${query.toString()}`)).json()) as Record<string, any>;
        audited.push(...page['data'].map(({ target }: { target: string }) => target));
        cursor = page['cursor'];
      }
      expect(audited.sort()).toEqual(registered.sort());
    },
    withinMs,
  );
});
