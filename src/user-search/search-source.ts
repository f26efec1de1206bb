import type { KeyPosition } from '../database/key-range.js';
import type { User } from '../users/user.js';
import type { SortField } from './user-query.js';

/** A user that a source has found, and where that was. */
export interface Candidate {
  readonly user: User;
  readonly position: KeyPosition;
}

export interface SourceWalk {
  readonly descending: boolean;
  readonly after: KeyPosition | null;
  readonly limit: number;
}

export interface SourceStep {
  readonly candidates: readonly Candidate[];
  /** Entries that were read: more than the candidates if users have been deleted meanwhile. */
  readonly read: number;
  /** Where the next step begins; null: nothing is left. */
  readonly next: KeyPosition | null;
  /** False if there may be others that could not be asked for. */
  readonly complete: boolean;
}

/** A filter with a leading index: walks over the users for whom it holds, each step by a small statement or two. */
export interface SearchSource {
  /** Part of cursors. */
  readonly name: string;
  /** Which order the walk has; null: its own. */
  readonly order: SortField | null;
  /** How many entries there are, up to `max`. */
  count(max: number): Promise<number>;
  walk(walk: SourceWalk): Promise<SourceStep>;
}

/** The step of a source whose entries are `read`, in the order of the walk. */
export function stepOf(
  read: readonly KeyPosition[],
  limit: number,
  candidates: readonly Candidate[],
  complete = true,
): SourceStep {
  return { candidates, read: read.length, next: read.length === limit ? (read.at(-1) ?? null) : null, complete };
}
