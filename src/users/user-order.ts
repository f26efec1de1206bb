/** What users can be ordered by. `id` is the order of registration, `displayName` the nickname or else the username. */
export type UserOrderColumn = 'id' | 'username' | 'displayName' | 'modifiedAt';

export interface UserOrderTerm {
  readonly by: UserOrderColumn;
  readonly descending: boolean;
}

/** By the first term; among equals by the next one, and in the end by the newest. */
export type UserOrder = readonly UserOrderTerm[];

/** Columns that have an index and no two equal values: a page is found wherever it stands. */
export type IndexedColumn = 'id' | 'username';

export function isIndexed(by: UserOrderColumn): by is IndexedColumn {
  return by === 'id' || by === 'username';
}
