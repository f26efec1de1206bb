import type { Session } from '../presence/session.js';

/** A user whom this node has seen. */
export interface Sighting {
  readonly appId: string;
  readonly uuid: string;
  readonly username: string;
  /** Open on this node. */
  sessions: number;
  /** When the last of them ended, in Unix milliseconds. Meaningless while there is one. */
  endedAt: number;
  /** The time that was stored last, in Unix milliseconds; null: none was. */
  stored: number | null;
  /** When it was stored, monotonic. */
  storedAt: number;
}

/** How old the stored time of an online user gets. */
export const refreshMs = 5 * 60_000;
/** The end of a session is stored at once, but not more often than this: a flapping device would write all the time. */
export const pauseMs = 60_000;

/** Who was seen on this node, and whose time is due to be stored. */
export class Sightings {
  private readonly byUser = new Map<string, Sighting>();

  get size(): number {
    return this.byUser.size;
  }

  opened({ appId, userUuid: uuid, username }: Session): void {
    const key = keyOf(appId, uuid);
    const known = this.byUser.get(key);
    if (known !== undefined) known.sessions += 1;
    else this.byUser.set(key, { appId, uuid, username, sessions: 1, endedAt: 0, stored: null, storedAt: 0 });
  }

  closed({ appId, userUuid }: Session, now: number): void {
    const sighting = this.byUser.get(keyOf(appId, userUuid));
    if (sighting === undefined) return;
    sighting.sessions -= 1;
    sighting.endedAt = now;
  }

  /** When this node last saw the user: now, while they are online here. */
  lastOf(appId: string, uuid: string, now: number): number | null {
    const sighting = this.byUser.get(keyOf(appId, uuid));
    return sighting === undefined ? null : sighting.sessions > 0 ? now : sighting.endedAt;
  }

  /**
   * The users whose time is to be stored now, and forgets those of whom everything is.
   * @param monotonic now @param all whatever was not stored, without regard to pauses
   */
  takeDue(monotonic: number, all: boolean): Sighting[] {
    const due: Sighting[] = [];
    for (const [key, sighting] of this.byUser) {
      const isOnline = sighting.sessions > 0;
      const ageMs = sighting.stored === null ? Infinity : monotonic - sighting.storedAt;
      const isStored = !isOnline && sighting.stored !== null && sighting.stored >= sighting.endedAt;
      if (isStored && (all || ageMs >= pauseMs)) this.byUser.delete(key);
      else if (!isStored && (all || ageMs >= (isOnline ? refreshMs : pauseMs))) due.push(sighting);
    }
    return due;
  }
}

function keyOf(appId: string, uuid: string): string {
  return `${appId} ${uuid}`;
}
