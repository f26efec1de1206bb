/** What users can be ordered by. `id` is the order of registration, `displayName` the nickname or else the username. */
export type UserOrderColumn = 'id' | 'username' | 'displayName' | 'modifiedAt';

export interface UserOrderTerm {
  readonly by: UserOrderColumn;
  readonly descending: boolean;
}

/** By the first term, then by the next ones, and finally newest first. */
export type UserOrder = readonly UserOrderTerm[];

/** Indexed columns without duplicates: a page is found wherever it is. */
export type IndexedColumn = 'id' | 'username';

export function isIndexed(by: UserOrderColumn): by is IndexedColumn {
  return by === 'id' || by === 'username';
}
