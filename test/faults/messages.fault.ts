import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startMariaDb, type TestServer } from '../../scripts/test-servers.mjs';
import { aBootstrapApp } from '../factories/app.factory.js';
import { runs } from '../support/form.js';
import { MessageClient } from '../support/message-client.js';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';

const senders = 20;
const kills = runs(1, 20);
const minAcks = runs(200, 3_000);
const receiver = 'receiver';

describe('no acknowledged message is lost, and none overtakes another of its sender', () => {
  const app = aBootstrapApp();
  let server: TestServer;
  let database: TestDatabase | undefined;
  let service: ServiceProcess | undefined;

  beforeAll(async () => {
    server = await startMariaDb();
  }, 60_000);
  afterAll(() => server.stop());
  afterEach(async () => {
    await service?.kill();
    await database?.drop();
  });

  const environment = () => ({
    DATABASE_URL: (database as TestDatabase).url,
    BOOTSTRAP_APPS: app.text,
    PASSWORD_COST: 'm=8,t=1,p=1',
  });
  const path = () => `${(service as ServiceProcess).url}/${app.org}/${app.name}`;

  it.each(['sqlite', 'mariadb'] as const)(
    'when the service is killed with -9 while twenty senders send, on %s',
    async (engine) => {
      database = await createDatabase(engine, server.url);
      service = await ServiceProcess.start(environment());
      await removeLimits(app, environment(), 'offline_messages_per_user=100000');
      let token = '';
      const post = (route: string, body: unknown) =>
        fetch(`${path()}${route}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify(body),
        });
      const tokenOf = async (grant: object): Promise<string> =>
        ((await (await post('/token', grant)).json()) as { access_token: string }).access_token;
      token = await tokenOf({
        ...{ grant_type: 'client_credentials', client_id: app.appId, client_secret: app.certificate },
      });
      expect((await post('/users', { username: receiver, password: 'p' })).status).toBe(200);

      const acked = new Map<string, string>();
      const statuses = new Set<number>();
      let stopped = false;
      const send = async (sender: number): Promise<void> => {
        for (let index = 0; !stopped; index += 1) {
          try {
            const message = { from: `sender-${sender}`, to: [receiver], type: 'txt', body: { sender, index } };
            const response = await post('/messages/users', message);
            statuses.add(response.status);
            const { data } = (await response.json()) as { data?: Record<string, string> };
            if (response.status === 200) acked.set(data?.[receiver] as string, `${sender} ${index}`);
          } catch {
            // The service is down; the fate of this one is unknown.
            await sleep(50);
          }
        }
      };
      const sending = Promise.all(Array.from({ length: senders }, (_none, sender) => send(sender)));
      const moments: number[] = [];
      while (moments.length < kills || acked.size < minAcks) {
        // In the middle of it, however slow the machine is.
        const moment = randomInt(100, 300);
        moments.push(moment);
        for (const until = acked.size + moment; acked.size < until;) await sleep(1);
        await service.kill();
        service = await ServiceProcess.start(environment());
      }
      stopped = true;
      await sending;
      console.log(`${engine}: killed after ${moments.join(', ')} acknowledgements, ${acked.size} in all`);

      const userToken = await tokenOf({ grant_type: 'inherit', username: receiver });
      const client = await MessageClient.connect(`${path().replace('http', 'ws')}/ws`, userToken);
      const waiting = (await client.first('ready'))['offline'] as number;
      const messages = await client.take('message', waiting, 30_000);
      await client.close();
      const got = new Map(messages.map(({ id, body }) => [id as string, `${body.sender} ${body.index}`]));
      expect([...acked].filter(([id, what]) => got.get(id) !== what)).toEqual([]);
      const last = new Map<number, number>();
      for (const { body } of messages) {
        expect(body.index as number).toBeGreaterThan(last.get(body.sender as number) ?? -1);
        last.set(body.sender as number, body.index as number);
      }
      expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    },
    runs(120_000, 600_000),
  );
});
