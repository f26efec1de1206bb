import type { Session } from '../presence/session.js';
import { pauseMs, refreshMs, type Sighting, Sightings } from './sightings.js';

const ann = { appId: 'app', userUuid: 'ann-uuid', username: 'ann' } as Session;
const stored = (sightings: readonly Sighting[], at: number, monotonic: number): number =>
  sightings.map((sighting) => Object.assign(sighting, { stored: at, storedAt: monotonic })).length;

describe('sightings', () => {
  it('of an online user are due at once, and then every five minutes', () => {
    const sightings = new Sightings();
    sightings.opened(ann);
    expect(stored(sightings.takeDue(0, false), 1_000, 0)).toBe(1);
    for (let ms = 5_000; ms < refreshMs; ms += 5_000) expect(sightings.takeDue(ms, false)).toEqual([]);
    expect(stored(sightings.takeDue(refreshMs, false), 1_000 + refreshMs, refreshMs)).toBe(1);
    expect(sightings.takeDue(refreshMs + 5_000, false)).toEqual([]);
  });

  it('of a user who left are due once, and are forgotten then', () => {
    const sightings = new Sightings();
    sightings.opened(ann);
    sightings.opened(ann);
    stored(sightings.takeDue(0, false), 1_000, 0);
    sightings.closed(ann, 2_000);
    expect(sightings.lastOf('app', 'ann-uuid', 3_000)).toBe(3_000);
    sightings.closed(ann, 4_000);
    expect(sightings.lastOf('app', 'ann-uuid', 5_000)).toBe(4_000);
    expect(sightings.takeDue(pauseMs - 1, false)).toEqual([]);
    const due = sightings.takeDue(pauseMs, false);
    expect(due).toMatchObject([{ username: 'ann', sessions: 0, endedAt: 4_000 }]);
    stored(due, 4_000, pauseMs);
    expect(sightings.takeDue(2 * pauseMs, false)).toEqual([]);
    expect(sightings.size).toBe(0);
    expect(sightings.lastOf('app', 'ann-uuid', 5_000)).toBeNull();
  });

  it('of a device that comes and goes all the time are stored once a minute', () => {
    const sightings = new Sightings();
    let stores = 0;
    for (let ms = 0; ms < 10 * 60_000; ms += 1_000) {
      sightings.opened(ann);
      sightings.closed(ann, ms);
      stores += stored(sightings.takeDue(ms, false), ms, ms);
    }
    expect(stores).toBe(10);
  });

  it('are all due when the node stops', () => {
    const sightings = new Sightings();
    sightings.opened(ann);
    stored(sightings.takeDue(0, false), 1_000, 0);
    sightings.closed(ann, 2_000);
    expect(sightings.takeDue(1, true)).toHaveLength(1);
  });
});
