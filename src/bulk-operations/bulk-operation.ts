import type { Caller } from '../audit/caller.js';
import type { WalkFilter } from '../users/user-walks.service.js';
import type { BulkOperationRow } from './bulk-operation.entity.js';

export const bulkActions = ['ban', 'unban', 'force_offline', 'delete'] as const;
export type BulkAction = (typeof bulkActions)[number];

/**
 * `collecting`: finds out what it concerns. `failed`: it could not be carried on; the items so far stay as they are. The
 * last three are final.
 */
export const bulkStates = ['collecting', 'running', 'done', 'cancelled', 'failed'] as const;
export type BulkState = (typeof bulkStates)[number];

/** In the order in which results are listed. `waiting`: not yet; in an operation that is finished, never. */
export const outcomes = ['failed', 'unchanged', 'changed', 'waiting'] as const;
export type Outcome = (typeof outcomes)[number];

/** What is to be done to each user. */
export interface BulkTerms {
  readonly action: BulkAction;
  readonly reason: string | null;
  /** For a ban, as are the next two; only staff sees it. */
  readonly note: string | null;
  readonly startsAt: number | null;
  readonly endsAt: number | null;
}

export interface BulkOperation {
  readonly id: number;
  readonly action: BulkAction | 'undo';
  readonly state: BulkState;
  readonly terms: BulkTerms | null;
  readonly filter: WalkFilter | null;
  readonly caller: Caller;
  readonly undoes: number | null;
  readonly collectedTo: number;
  readonly total: number;
  readonly counts: Readonly<Record<'changed' | 'unchanged' | 'failed', number>>;
  readonly createdAt: number;
  /** null: it is not finished. */
  readonly finishedAt: number | null;
}

/** What an operation does to one item; `code`: why it failed or changed nothing. */
export interface ItemResult {
  readonly outcome: Exclude<Outcome, 'waiting'>;
  readonly code: string | null;
}

export interface BulkItem {
  readonly seq: number;
  readonly target: string;
  readonly userUuid: string | null;
  readonly outcome: Outcome;
  readonly code: string | null;
}

export interface StoredRequest {
  readonly terms: BulkTerms | null;
  readonly filter: WalkFilter | null;
}

export function toBulkOperation(row: BulkOperationRow): BulkOperation {
  const { terms, filter } = JSON.parse(row.request) as StoredRequest;
  return {
    id: row.id,
    action: row.action as BulkOperation['action'],
    state: row.state as BulkState,
    terms,
    filter,
    caller: JSON.parse(row.caller) as Caller,
    undoes: row.undoes,
    collectedTo: row.collected_to,
    total: row.total,
    counts: { changed: row.changed, unchanged: row.unchanged, failed: row.failed },
    createdAt: row.created_at,
    finishedAt: row.finished_at === 0 ? null : row.finished_at,
  };
}

export function isFinished({ state }: Pick<BulkOperation, 'state'>): boolean {
  return state !== 'collecting' && state !== 'running';
}
