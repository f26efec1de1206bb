import type { IndexedColumn } from './user-order.js';

/** A user's rank in the ascending order of a column (0: the first), and its value there. */
export interface Position {
  readonly rank: number;
  readonly key: string | number;
  /** Monotonic milliseconds: when the walk to it began at an end of the list. Positions reached from it keep it. */
  readonly countedAt: number;
}

/** Once the way there has been walked, no page is further than this from a remembered position. */
export const strideRows = 2_000;
/** How long a position is valid, and so how long a page far from both ends may lag behind deletions before it. */
const rememberedMs = 60_000;
const maxPlaces = 5_000;
const maxLists = 100;

/**
 * Remembers the ranks of users in long lists, so that a page is reached by a short index walk from the nearest known
 * position instead of from the beginning. Registrations don't shift ranks in the order by id, since new users come
 * last; deletions do, so positions expire quickly.
 */
export class PagePositions {
  private readonly lists = new Map<string, Map<number, Position>>();

  remember(appId: string, column: IndexedColumn, position: Position): void {
    const name = `${column} ${appId}`;
    const places = this.lists.get(name) ?? new Map<number, Position>();
    // Re-insert at the young end, so that the least recently used list is evicted first.
    this.lists.delete(name);
    this.lists.set(name, places);
    dropOldest(this.lists, maxLists);
    const place = Math.floor(position.rank / strideRows);
    places.delete(place);
    places.set(place, position);
    dropOldest(places, maxPlaces);
  }

  /** The known position nearest to a rank and outside the requested range. */
  nearest(appId: string, column: IndexedColumn, low: number, high: number, nowMs: number): Position | null {
    let best: Position | null = null;
    for (const one of this.lists.get(`${column} ${appId}`)?.values() ?? []) {
      if (nowMs - one.countedAt > rememberedMs || (one.rank > low && one.rank < high)) continue;
      if (best === null || Math.abs(one.rank - low) < Math.abs(best.rank - low)) best = one;
    }
    return best;
  }
}

function dropOldest(map: Map<unknown, unknown>, maxSize: number): void {
  const oldest = map.keys().next();
  if (map.size > maxSize && oldest.done !== true) map.delete(oldest.value);
}
