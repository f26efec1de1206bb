import { FixedClock } from '../../test/support/fixed-clock.js';
import type { AuditTrail } from '../audit/audit-trail.service.js';
import type { App } from '../apps/app.js';
import { fingerprintOf } from '../apps/app-secrets.js';
import type { AppsService } from '../apps/apps.service.js';
import { RedisUnavailable } from '../redis/redis-unavailable.js';
import type { User } from '../users/user.js';
import { UserEvents } from '../users/user-events.js';
import type { UserChangesService } from '../users/user-changes.service.js';
import type { UsersService } from '../users/users.service.js';
import { MemoryPresenceStore } from './memory-presence.store.js';
import type { NodeSignals } from './node-signals.service.js';
import { PresenceService } from './presence.service.js';
import { renewEveryMs } from './presence.store.js';
import type { KickReason, Session } from './session.js';
import { SessionEvents } from './session-events.js';
import type { Signal } from './signal.js';

const { jest } = import.meta;
/** Each read returns a new change, of the same user. */
let drawn = 0;
const changes = {
  listIds: async () => [`id${drawn++}`],
  find: async () => [new Map([['uuid-of-ann', null]])],
} as unknown as UserChangesService;
const audit = { recordAlone: async () => undefined } as unknown as AuditTrail;
const secrets = { certificates: ['a certificate'], tokenSecret: 'a secret' };
const letInBy = fingerprintOf('a certificate');
const recheckEveryMs = 5_000;
const signalWithinMs = 1_000;

describe('a session whose user was changed by another node', () => {
  const app = { id: 'app', org: 'org', name: 'name', disabled: false, ...secrets } as unknown as App;
  const revoked = { appId: app.id, username: 'ann', uuid: 'uuid-of-ann', activated: true, tokenEpoch: 7 } as User;
  const clock = new FixedClock();
  let stored: User;
  let kicks: KickReason[];
  let signal: (signal: Signal) => void;
  let presence: PresenceService;

  beforeEach(async () => {
    jest.useFakeTimers();
    stored = { ...revoked, tokenEpoch: 0 };
    kicks = [];
    const signals = { listen: (receive: typeof signal) => (signal = receive), take: async () => undefined };
    const users = { findByUuid: async () => stored, findAllByUuid: async () => new Map([[stored.uuid, stored]]) };
    presence = new PresenceService(
      new MemoryPresenceStore('node', clock),
      signals as unknown as NodeSignals,
      users as unknown as UsersService,
      { find: async () => app } as unknown as AppsService,
      clock,
      new SessionEvents(),
      new UserEvents(),
      changes,
      audit,
    );
    presence.start();
    const request = {
      userUuid: stored.uuid,
      username: stored.username,
      platform: 'web',
      device: 'one',
      deviceName: 'one',
      issued: { by: 'rollcall', epoch: 0 },
      letInBy,
      expiresAtSeconds: Number.MAX_SAFE_INTEGER,
    } as const;
    await presence.open(app, request, {
      kick: (reason) => kicks.push(reason),
      wake: () => undefined,
      catchUp: () => undefined,
      presenceChanged: () => undefined,
    });
  });
  afterEach(async () => {
    await presence.stop();
    jest.useRealTimers();
  });

  it("receives the signal's reason even if the user's row was read before the signal arrived", async () => {
    stored = revoked;
    await jest.advanceTimersByTimeAsync(recheckEveryMs + signalWithinMs - 1);
    expect(kicks).toEqual([]);
    const { appId, username, uuid: userUuid, tokenEpoch } = revoked;
    signal({ kind: 'close_user', appId, username, userUuid, tokenEpoch, reason: 'password_changed', at: clock.now() });
    await jest.advanceTimersByTimeAsync(signalWithinMs);
    expect(kicks).toEqual(['password_changed']);
  });

  it('ends a second later even without a signal', async () => {
    stored = revoked;
    await jest.advanceTimersByTimeAsync(recheckEveryMs + signalWithinMs);
    expect(kicks).toEqual(['token_revoked']);
  });

  it('ends at once where the row alone decides: a ban', async () => {
    stored = { ...revoked, activated: false };
    await jest.advanceTimersByTimeAsync(recheckEveryMs);
    expect(kicks).toEqual(['banned']);
  });
});

/** A store that can be unavailable, and counts withdrawals. */
class UnsteadyStore extends MemoryPresenceStore {
  away = false;
  leaseLost = false;
  withdrawals = 0;

  override async withdraw(session: Session): Promise<void> {
    if (this.away) throw new RedisUnavailable('away');
    this.withdrawals += 1;
    return super.withdraw(session);
  }

  override async renew(): Promise<boolean> {
    if (this.away) throw new RedisUnavailable('away');
    return !this.leaseLost;
  }
}

describe('sessions that open and close while the store is unavailable', () => {
  const app = { id: 'app', org: 'org', name: 'name', disabled: false, ...secrets } as unknown as App;
  const user = { appId: app.id, username: 'ann', uuid: 'uuid-of-ann', activated: true, tokenEpoch: 0 } as User;
  const clock = new FixedClock();
  const sessions = 10_500;
  const maxWaiting = 10_000;
  let store: UnsteadyStore;
  let presence: PresenceService;

  beforeEach(async () => {
    jest.useFakeTimers();
    store = new UnsteadyStore('node', clock);
    presence = new PresenceService(
      store,
      { listen: () => undefined, take: async () => undefined } as unknown as NodeSignals,
      { findByUuid: async () => user, findAllByUuid: async () => new Map() } as unknown as UsersService,
      { find: async () => app } as unknown as AppsService,
      clock,
      new SessionEvents(),
      new UserEvents(),
      changes,
      audit,
    );
    presence.start();
    const request = {
      ...{ userUuid: user.uuid, username: user.username, platform: 'web', device: 'one', deviceName: 'one' },
      ...{ issued: { by: 'rollcall', epoch: 0 } as const, letInBy, expiresAtSeconds: Number.MAX_SAFE_INTEGER },
    };
    store.away = true;
    for (let index = 0; index < sessions; index += 1) {
      const session = await presence.open(app, request, {
        kick: () => undefined,
        wake: () => undefined,
        catchUp: () => undefined,
        presenceChanged: () => undefined,
      });
      presence.close(session?.sessionId ?? '', 'left');
    }
    store.away = false;
  });
  afterEach(async () => {
    await presence.stop();
    jest.useRealTimers();
  });

  it('are withdrawn when it is back, up to a limit', async () => {
    await jest.advanceTimersByTimeAsync(renewEveryMs);
    expect(store.withdrawals).toBe(maxWaiting);
  });

  it('need no withdrawal if the lease was lost meanwhile', async () => {
    store.leaseLost = true;
    await jest.advanceTimersByTimeAsync(renewEveryMs);
    expect(store.withdrawals).toBe(0);
  });
});

describe('a live session missing from the store, and a closed one still in it', () => {
  it('are restored and removed within a minute', async () => {
    jest.useFakeTimers();
    const app = { id: 'app', org: 'org', name: 'name', disabled: false, ...secrets } as unknown as App;
    const user = { appId: app.id, username: 'ann', uuid: 'uuid-of-ann', activated: true, tokenEpoch: 0 } as User;
    const clock = new FixedClock();
    const store = new MemoryPresenceStore('node', clock);
    const presence = new PresenceService(
      store,
      { listen: () => undefined, take: async () => undefined } as unknown as NodeSignals,
      {
        findByUuid: async () => user,
        findAllByUuid: async () => new Map([[user.uuid, user]]),
      } as unknown as UsersService,
      { find: async () => app } as unknown as AppsService,
      clock,
      new SessionEvents(),
      new UserEvents(),
      changes,
      audit,
    );
    presence.start();
    const session = await presence.open(
      app,
      {
        ...{ userUuid: user.uuid, username: user.username, platform: 'web', device: 'one', deviceName: 'one' },
        ...{ issued: { by: 'rollcall', epoch: 0 } as const, letInBy, expiresAtSeconds: Number.MAX_SAFE_INTEGER },
      },
      { kick: () => undefined, wake: () => undefined, catchUp: () => undefined, presenceChanged: () => undefined },
    );
    await store.withdraw(session as Session);
    await store.announce({ ...(session as Session), username: 'bob', sessionId: 'left over' });
    expect(await store.online(app.id, ['ann', 'bob'])).toEqual([false, true]);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(await store.online(app.id, ['ann', 'bob'])).toEqual([true, false]);
    await presence.stop();
    jest.useRealTimers();
  });
});
