import type { IndexedColumn } from './user-order.js';

/** A user's place in the ascending order of a column (0: the first), and its value there. */
export interface Position {
  readonly rank: number;
  readonly key: string | number;
  /** Monotonic milliseconds: when the walk to it began at an end of the list. What it leads to is as old. */
  readonly countedAt: number;
}

/** No page is further from a remembered position than this, once the way there was walked. */
export const strideRows = 2_000;
/** For how long a position counts: as long may a page far from both ends lag behind deletions before it. */
const rememberedMs = 60_000;
const maxPlaces = 5_000;
const maxLists = 100;

/**
 * Remembers which user stands where in long lists, so that a page is reached by a short walk along the index from the
 * nearest known place instead of from the beginning. Registrations do not move the ranks of the order by id, as they
 * come last; deletions do, and so a position is forgotten soon.
 */
export class PagePositions {
  private readonly lists = new Map<string, Map<number, Position>>();

  remember(appId: string, column: IndexedColumn, position: Position): void {
    const name = `${column} ${appId}`;
    const places = this.lists.get(name) ?? new Map<number, Position>();
    // Put back at the young end, so that the list that went unused the longest goes first.
    this.lists.delete(name);
    this.lists.set(name, places);
    dropOldest(this.lists, maxLists);
    const place = Math.floor(position.rank / strideRows);
    places.delete(place);
    places.set(place, position);
    dropOldest(places, maxPlaces);
  }

  /** The known position that is nearest to a rank and not inside of the range that is asked for. */
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
