import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { aBootstrapApp } from '../factories/app.factory.js';
import { longForm, runs, retryTimingTests } from '../support/form.js';
import { until } from '../support/gateway-client.js';
import { percentile } from '../support/percentile.js';
import { figuresOf } from '../support/service-figures.mjs';
import { removeLimits, ServiceProcess } from '../support/service-process.js';
import { createDatabase, type TestDatabase } from '../support/test-database.js';
import { tokenOf } from '../support/tokens.js';

retryTimingTests();

/** The number of clients of each kind. Together they are 500 sockets. */
const kinds = {
  /** Connect and say nothing. */
  silent: 130,
  /** Headers, one byte a second. */
  slowHeaders: 130,
  /** A body, one byte a second. */
  slowBody: 134,
  /** The same after a request for another protocol, which passes through the server a second time. */
  slowUpgrade: 20,
  /** Half a request, and then the end of their side; they never close the other. */
  halfOpen: 80,
  /** Request big answers and read nothing of them. */
  deaf: 6,
} as const;
type Kind = keyof typeof kinds;

/** Lists of 33 KB, together more than the kernel buffers for a socket, are requested in this many portions. */
const bigAnswers = { portions: 15, ofPortion: 10, everyMs: 100 };
/**
 * How much slower others may be; the short form shares the machine with another suite, which does not delay all alike.
 */
const maxRatio = longForm ? 1.2 : 1.6;
/** When other programs disturb the times of one wave, there is another: what the service does shows in each. */
const waves = { min: runs(1, 5), max: runs(3, 8) };
const clientsOfAWave = Object.values(kinds).reduce((sum, count) => sum + count, 0);
const megabyte = 1024 * 1024;

/** After how many milliseconds each client of a kind was disconnected. */
class Attack {
  readonly closedAfterMs = new Map<Kind, number[]>();
  readonly answers = new Map<Kind, Set<string>>();
  private readonly sockets = new Set<Socket>();
  private readonly drips: (() => void)[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly port: number,
    private readonly path: string,
    private readonly token: string,
  ) {
    this.timer = setInterval(() => {
      for (const drip of this.drips) drip();
    }, 1_000);
    for (const kind of Object.keys(kinds) as Kind[]) {
      this.closedAfterMs.set(kind, []);
      this.answers.set(kind, new Set());
    }
  }

  /** Those that do not read come first, as their requests cause work. @returns when they have requested all of it */
  async prepare(): Promise<void> {
    for (let index = 0; index < kinds.deaf; index += 1) this.begin('deaf');
    await sleep((bigAnswers.portions + 5) * bigAnswers.everyMs);
  }

  begins(): void {
    for (const kind of Object.keys(kinds) as Kind[])
      if (kind !== 'deaf') for (let index = 0; index < kinds[kind]; index += 1) this.begin(kind);
  }

  stop(): void {
    clearInterval(this.timer);
    for (const socket of this.sockets) socket.destroy();
  }

  private begin(kind: Kind): void {
    // A malicious client does not hang up because the other side did.
    const socket = connect({ port: this.port, host: '127.0.0.1', allowHalfOpen: true });
    this.sockets.add(socket);
    let startedAt = performance.now();
    let ended = false;
    const end = (): void => {
      if (!ended) this.closedAfterMs.get(kind)?.push(performance.now() - startedAt);
      ended = true;
    };
    socket.on('connect', () => {
      startedAt = performance.now();
      this.speak(kind, socket, () => ended);
    });
    socket.on('error', () => undefined);
    socket.on('end', end);
    socket.on('close', end);
    if (kind === 'deaf') socket.pause();
    else socket.on('data', (bytes) => this.answers.get(kind)?.add(bytes.toString().slice(9, 12)));
  }

  private async ask(socket: Socket, request: string): Promise<void> {
    for (let portion = 0; portion < bigAnswers.portions; portion += 1) {
      socket.write(request.repeat(bigAnswers.ofPortion));
      await sleep(bigAnswers.everyMs);
    }
  }

  private speak(kind: Kind, socket: Socket, ended: () => boolean): void {
    const head = `POST ${this.path}/users HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${this.token}\r\n`;
    const upgrade = 'Connection: Upgrade\r\nUpgrade: h2c\r\n';
    switch (kind) {
      case 'silent':
        return;
      case 'slowHeaders':
        socket.write(`${head}X-Slow: `);
        break;
      case 'slowBody':
        socket.write(`${head}Content-Length: 1000\r\n\r\n`);
        break;
      case 'slowUpgrade':
        socket.write(`${head}${upgrade}Content-Length: 1000\r\n\r\n`);
        break;
      case 'halfOpen':
        socket.end(`${head}X-Half:`);
        return;
      case 'deaf':
        void this.ask(socket, `${head.replace('POST', 'GET').replace(' HTTP', '?limit=100 HTTP')}\r\n`);
        return;
    }
    this.drips.push(() => {
      if (!ended()) socket.write('x');
    });
  }
}

/** How long calls took, alternating between two services. */
interface Calls {
  readonly attacked: number[];
  readonly control: number[];
}

const p99 = (times: readonly number[]): number => percentile(times, 0.99);

/** Of the two p99s. Half a millisecond is within the noise of the machine. */
function ratio({ attacked, control }: Calls): number {
  return (p99(attacked) - 0.5) / p99(control);
}

const longName = (batch: string, index: number): string => `${batch}${index}-`.padEnd(64, 'x');
const longUsers = (batch: string): object[] =>
  Array.from({ length: 50 }, (_none, index) => ({
    username: longName(batch, index),
    password: 'p',
    nickname: 'n'.repeat(100),
  }));

describe('slow clients', () => {
  const app = aBootstrapApp();
  const path = `/${app.org}/${app.name}`;
  const databases: TestDatabase[] = [];
  let attacked: ServiceProcess;
  /** The same service without the clients: what this machine does at this moment, so that only the ratio counts. */
  let control: ServiceProcess;
  // Made with the certificate, which both services share, rather than a key in one's database.
  const token = tokenOf(app);
  const attacks: Attack[] = [];
  const calm: Calls = { attacked: [], control: [] };
  /** Per wave. */
  const stormy: Calls[] = [];
  const statuses = new Set<number>();
  let before: Awaited<ReturnType<typeof figuresOf>>;
  /** By how much the memory of each has grown at most; calls alone cost some. */
  let residentOfControl = 0;
  const maxGrowth = { attacked: 0, control: 0 };
  let maxHandles = 0;
  /** The service's additional open handles when only slow bodies are left, and at the end. */
  const handlesLeft: number[] = [];

  async function startService(): Promise<ServiceProcess> {
    const database = await createDatabase('sqlite');
    databases.push(database);
    const env = { DATABASE_URL: database.url, BOOTSTRAP_APPS: app.text, PASSWORD_COST: 'm=8,t=1,p=1' };
    const service = await ServiceProcess.start(env);
    await removeLimits(app, env);
    return service;
  }

  const call = async (service: ServiceProcess, method: string, target: string, body?: unknown): Promise<number> => {
    const startedAt = performance.now();
    const response = await fetch(`${service.url}${path}${target}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await response.arrayBuffer();
    statuses.add(response.status);
    return performance.now() - startedAt;
  };

  /** One call to each of the two, alternating, so that whatever else this machine does affects both. */
  async function callBoth(calls: Calls, during: () => boolean): Promise<void> {
    for (let index = 0; during(); index += 1) {
      const both = [
        { service: attacked, into: calls.attacked },
        { service: control, into: calls.control },
      ];
      for (const { service, into } of index % 2 === 0 ? both : both.reverse())
        into.push(await call(service, 'GET', `/users/${longName('a', 0)}`));
    }
  }

  const openHandles = async (): Promise<number> => (await figuresOf(attacked.url)).handles - before.handles;

  async function storm(): Promise<void> {
    const attack = new Attack(Number(new URL(attacked.url).port), path, token);
    attacks.push(attack);
    await attack.prepare();
    attack.begins();
    const startedAt = performance.now();
    let over = false;
    const watching = (async () => {
      while (!over) {
        const [ours, theirs] = await Promise.all([figuresOf(attacked.url), figuresOf(control.url)]);
        maxGrowth.attacked = Math.max(maxGrowth.attacked, ours.residentBytes - before.residentBytes);
        maxGrowth.control = Math.max(maxGrowth.control, theirs.residentBytes - residentOfControl);
        maxHandles = Math.max(maxHandles, ours.handles - before.handles);
        await sleep(500);
      }
    })();
    // From when all have connected until the last ones are due.
    await sleep(500);
    const calls: Calls = { attacked: [], control: [] };
    stormy.push(calls);
    const calling = callBoth(calls, () => !over);
    await sleep(8_500 - (performance.now() - startedAt));
    handlesLeft.push(await openHandles());
    await sleep(12_500 - (performance.now() - startedAt));
    over = true;
    await Promise.all([calling, watching]);
    // While the clients still hold their side.
    await until(async () => (await openHandles()) < 10, 5_000 + delay(), 100).catch(() => undefined);
    handlesLeft.push(await openHandles());
    attack.stop();
  }

  beforeAll(
    async () => {
      [attacked, control] = await Promise.all([startService(), startService()]);
      for (const service of [attacked, control])
        for (const batch of ['a', 'b']) await call(service, 'POST', '/users', longUsers(batch));
      const calmUntil = performance.now() + 1_000;
      await callBoth(calm, () => performance.now() < calmUntil);
      before = await figuresOf(attacked.url);
      residentOfControl = (await figuresOf(control.url)).residentBytes;
      do await storm();
      while (stormy.length < waves.min || (stormy.length < waves.max && Math.min(...stormy.map(ratio)) > maxRatio));
    },
    runs(120_000, 300_000),
  );
  afterAll(async () => {
    for (const attack of attacks) attack.stop();
    await Promise.all([attacked?.kill(), control?.kill()]);
    await Promise.all(databases.map((database) => database.drop()));
  });

  const times = (kind: Kind): number[] =>
    attacks.flatMap((attack) => attack.closedAfterMs.get(kind) ?? []).sort((one, other) => one - other);
  const answersTo = (kind: Kind): string[] => [...new Set(attacks.flatMap((a) => [...(a.answers.get(kind) ?? [])]))];

  /** By how much this machine delays things unrelated to the slow clients: almost nothing, unless it is busy. */
  const delay = (): number => 3 * Math.max(0, ...stormy.flatMap(({ control: theirs }) => theirs));

  // The server checks once a second.
  it.each([
    ['silent', 5_000, 7_500],
    ['slowHeaders', 5_000, 7_500],
    ['slowBody', 10_000, 12_500],
    ['slowUpgrade', 10_000, 12_500],
  ] as const)('%s: every one is told 408 and closed after %d ms, within %d', (kind, minMs, maxMs) => {
    const after = times(kind);
    console.log(`${kind}: ${after.length} closed after ${after[0]?.toFixed()} to ${after.at(-1)?.toFixed()} ms`);
    expect(after).toHaveLength(kinds[kind] * attacks.length);
    expect(after[0]).toBeGreaterThan(minMs - 400);
    expect(after.at(-1)).toBeLessThan(maxMs + delay());
    expect(answersTo(kind)).toEqual(['408']);
  });

  it('halfOpen: each one is answered with 400 and closed at once', () => {
    const after = times('halfOpen');
    console.log(`halfOpen: ${after.length} closed within ${after.at(-1)?.toFixed()} ms`);
    expect(after).toHaveLength(kinds.halfOpen * attacks.length);
    expect(after.at(-1)).toBeLessThan(2_000 + delay());
    expect(answersTo('halfOpen')).toEqual(['400']);
  });

  it('deaf: clients that read nothing of an answer are disconnected within 13 s, and no socket of any kind is left', () => {
    console.log(
      `handles beside those before: at most ${maxHandles}, after 8.5 s and at the end ${handlesLeft.join(' ')}`,
    );
    expect(maxHandles).toBeGreaterThan(400);
    for (const [index, left] of handlesLeft.entries()) {
      if (index % 2 === 1) expect(left).toBeLessThan(10);
      else expect(left).toBeGreaterThanOrEqual(kinds.slowBody);
    }
  });

  it('all of them together cost less than 128 MiB', () => {
    const [ours, theirs] = [maxGrowth.attacked / megabyte, maxGrowth.control / megabyte];
    console.log(
      `resident memory beside ${clientsOfAWave} slow clients: ${ours.toFixed()} MiB more, without them ${theirs.toFixed()}`,
    );
    expect(ours - theirs).toBeLessThan(128);
  });

  it('the p99 of everybody else changes by less than 20 %', () => {
    const calls = stormy.map(
      ({ attacked: ours, control: theirs }) => `${p99(ours).toFixed(1)}:${p99(theirs).toFixed(1)}`,
    );
    const count = stormy.reduce((sum, { attacked: ours }) => sum + ours.length, 0);
    console.log(
      `p99 in ms of ${count} calls beside ${clientsOfAWave} slow clients : without them, in each wave: ` +
        `${calls.join(', ')} (before: ${p99(calm.attacked).toFixed(1)}:${p99(calm.control).toFixed(1)})`,
    );
    expect([...statuses]).toEqual([200]);
    expect(Math.min(...stormy.map(ratio))).toBeLessThan(maxRatio);
  });
});
