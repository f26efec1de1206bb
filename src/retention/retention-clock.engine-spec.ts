import { IdempotencyService } from '../idempotency/idempotency.service.js';
import { MessagesService } from '../messages/messages.service.js';
import { OfflineMessagesService } from '../offline-messages/offline-messages.service.js';
import { FixedClock } from '../../test/support/fixed-clock.js';
import { type RunningApp, startApp } from '../../test/support/start-app.js';
import { createDatabase, type TestDatabase } from '../../test/support/test-database.js';
import { RetentionClock } from './retention-clock.js';

const dayMs = 24 * 3600 * 1000;
const retentionDays = 7;

/** A clock that can be set, while time passes on its own. */
class SetClock extends FixedClock {
  offsetMs = 0;

  override now(): number {
    return super.now() + this.offsetMs;
  }
}

describe('a clock that was moved', () => {
  let database: TestDatabase;
  let clock: SetClock;
  let node: RunningApp;

  beforeEach(async () => {
    database = await createDatabase();
    clock = new SetClock();
  });
  afterEach(async () => {
    await node.stop();
    await database.drop();
  });

  const start = async (offsetMs: number): Promise<void> => {
    clock.offsetMs = offsetMs;
    node = await startApp({ database, clock });
    await node.register('ann');
  };
  const send = () =>
    node.nest.get(MessagesService).send(node.app, { from: 'ann', to: ['ann'], type: 'txt', body: { msg: 'kept' } });
  const expire = () => node.nest.get(OfflineMessagesService).expireDue();
  const look = () => node.nest.get(RetentionClock).look();
  /** The minutely checks of the service. */
  const passDays = async (days: number): Promise<void> => {
    for (let half = 0; half < 2 * days; half += 1) {
      clock.advance(dayMs / 2);
      await look();
    }
  };

  test.each(['in the same process', 'with a start'])('that was eight days behind, set right %s', async (how) => {
    await start(-8 * dayMs);
    await send();
    clock.offsetMs = 0;
    if (how === 'with a start') {
      const started = node.nest.get(RetentionClock);
      // What a process has learnt is lost with it.
      Object.assign(started, { seen: null, leaptTo: Infinity });
      expect(await expire()).toBe(0);
      await look();
    }
    expect(await expire()).toBe(0);
    await look();
    await passDays(retentionDays - 1);
    await send();
    expect(await expire()).toBe(0);
    // From here on the message really is as old as it claims, and yesterday's is not.
    await passDays(1);
    expect(await expire()).toBe(1);
    expect(await expire()).toBe(0);
    await passDays(retentionDays);
    expect(await expire()).toBe(1);
  });

  test('that is eight days ahead removes nothing, nor after it is set right, nor beside a node whose clock is right', async () => {
    await start(0);
    const right = new SetClock();
    const beside = await startApp({ database, clock: right });
    try {
      await send();
      clock.offsetMs = 8 * dayMs;
      for (let minute = 0; minute < 3; minute += 1) {
        expect(await expire()).toBe(0);
        await look();
        expect(await expire()).toBe(0);
        await beside.nest.get(RetentionClock).look();
        expect(await beside.nest.get(OfflineMessagesService).expireDue()).toBe(0);
        for (const each of [clock, right]) each.advance(60_000);
      }
    } finally {
      await beside.stop();
    }
    clock.offsetMs = 0;
    await look();
    expect(await expire()).toBe(0);
    await passDays(retentionDays);
    expect(await expire()).toBe(1);
  });

  test('and that its operator says is right: removed by it at once', async () => {
    await start(-8 * dayMs);
    await send();
    clock.offsetMs = 0;
    await look();
    expect(await expire()).toBe(0);
    await node.nest.get(RetentionClock).trust();
    expect(await expire()).toBe(1);
  });

  test('does not let a call with an Idempotency-Key happen twice', async () => {
    await start(0);
    const idempotency = node.nest.get(IdempotencyService);
    let times = 0;
    const call = { appId: node.app.id, caller: 'c', key: 'k', request: ['r'] };
    const once = () =>
      idempotency.once(call, async () => ({ status: 200, body: JSON.stringify((times += 1)), operationId: 1 }));
    await once();
    clock.offsetMs = 3 * dayMs;
    expect(await once()).toMatchObject({ repeated: true, answer: { body: '1' } });
    await look();
    expect(await once()).toMatchObject({ repeated: true });
    await passDays(1);
    expect(await once()).toMatchObject({ repeated: false, answer: { body: '2' } });
  });

  test('time that passes while the service runs is no leap', async () => {
    await start(0);
    await send();
    clock.advance((retentionDays + 1) * dayMs);
    expect(await expire()).toBe(1);
  });
});
