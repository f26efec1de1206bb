import { Injectable } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { AuditTrail } from '../audit/audit-trail.service.js';
import { currentOperation } from '../audit/operation.js';
import { Clock } from '../clock/clock.js';
import { readTextCursor, writeTextCursor } from '../cursors/text-cursor.js';
import { Database } from '../database/database.js';
import { afterCommit } from '../database/unit-of-work.js';
import { AppError } from '../errors/app-error.js';
import { checkConfirmation } from '../users/user-deletions.service.js';
import type { BulkOperationRow } from './bulk-operation.entity.js';
import {
  type BulkItem,
  type BulkOperation,
  type BulkTerms,
  isFinished,
  type Outcome,
  type StoredRequest,
  toBulkOperation,
} from './bulk-operation.js';
import { BulkItemsRepository } from './bulk-items.repository.js';
import { BulkOperationsRepository } from './bulk-operations.repository.js';
import { type BulkPreview, BulkTargetsService, maxNamed } from './bulk-targets.service.js';
import { BulkWorker } from './bulk-worker.js';
import type { WalkFilter } from '../users/user-walks.service.js';

/** Whom an operation concerns: exactly one of the two. */
export interface BulkTarget {
  readonly usernames: readonly string[] | null;
  readonly filter: WalkFilter | null;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; null: there is none. */
  readonly cursor: string | null;
}

/** Operations of an app that are not finished. */
const maxUnfinished = 10;

/** Owns changes of many users by one call: what they are, how far they are, and what became of each user. */
@Injectable()
export class BulkOperationsService {
  constructor(
    private readonly database: Database,
    private readonly operations: BulkOperationsRepository,
    private readonly items: BulkItemsRepository,
    private readonly targets: BulkTargetsService,
    private readonly worker: BulkWorker,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** What `create` would change now. @throws AppError argument_invalid, rate_limited, overloaded */
  preview(app: App, terms: BulkTerms, target: BulkTarget): Promise<BulkPreview> {
    return this.targets.preview(app.id, terms, target);
  }

  /**
   * Begins an operation, under the id of the current one of the audit trail.
   * @param confirmation of the users of a deletion, which an app may demand
   * @throws AppError argument_invalid, operations_full, confirmation_missing, confirmation_mismatch
   */
  async create(app: App, terms: BulkTerms, target: BulkTarget, confirmation: string | null): Promise<BulkOperation> {
    const mustConfirm = terms.action === 'delete' && app.settings.confirm_deletes;
    if (mustConfirm && confirmation === null) throw new AppError('confirmation_missing');
    const isConfirmed = terms.action === 'delete' && confirmation !== null;
    // What was confirmed is a list of users, whoever else the filter applies to by the time they are deleted.
    const items = isConfirmed
      ? await this.confirmedItems(app.id, target, confirmation)
      : target.usernames && (await this.targets.itemsOf(app.id, target.usernames));
    const row = this.newRow(app, terms.action, { terms, filter: target.filter }, null, items);
    return this.insert(app, row, items ?? []);
  }

  /**
   * Stores an operation and its first items, and has them worked on.
   * @throws AppError operations_full, UniqueViolation (the operation that it undoes is undone already)
   */
  async insert(app: App, row: BulkOperationRow, items: readonly BulkItem[], finishNow = false): Promise<BulkOperation> {
    await this.database.write(async (transaction) => {
      const unfinished = await this.operations.listUnfinished(app.id, maxUnfinished, transaction);
      if (unfinished.length >= maxUnfinished) throw new AppError('operations_full', { limit: maxUnfinished });
      await this.operations.insert(transaction, row);
      await this.items.insert(transaction, app.id, row.id, items);
    }, app.id);
    if (!finishNow) afterCommit(() => this.worker.wake(app));
    return toBulkOperation(row);
  }

  /** @param items all of them; null: they are still to be collected */
  newRow(
    app: App,
    action: BulkOperation['action'],
    request: StoredRequest,
    undoes: number | null,
    items: readonly BulkItem[] | null,
  ): BulkOperationRow {
    const operation = currentOperation();
    if (operation === undefined) throw new Error('a bulk operation is a part of no operation');
    return {
      ...{ app_id: app.id, id: operation.id, action, undoes },
      ...{ request: JSON.stringify(request), caller: JSON.stringify(operation.caller) },
      state: items === null ? 'collecting' : 'running',
      ...{ collected_to: 0, total: items?.length ?? 0, changed: 0, unchanged: 0 },
      failed: items?.filter(({ outcome }) => outcome === 'failed').length ?? 0,
      ...{ created_at: this.clock.now(), finished_at: 0, lease_owner: null, lease_until: 0 },
    };
  }

  /** @throws AppError operation_not_found */
  async get(appId: string, id: string): Promise<BulkOperation> {
    const row = await this.operations.find(appId, readOperationId(id));
    return row === null ? notFound() : toBulkOperation(row);
  }

  /** Operations, newest first. @throws AppError cursor_invalid */
  async list(appId: string, limit: number, cursor: string | null): Promise<Page<BulkOperation>> {
    const scope = `operations ${appId}`;
    const beforeId = cursor === null ? Number.MAX_SAFE_INTEGER : Number(readTextCursor(scope, cursor));
    const rows = await this.operations.listBefore(appId, beforeId, limit + 1);
    const items = rows.slice(0, limit).map(toBulkOperation);
    const last = rows.length > limit ? items.at(-1) : undefined;
    return { items, cursor: last === undefined ? null : writeTextCursor(scope, String(last.id)) };
  }

  /**
   * What became of each user: failures first, then who was left, then who was changed, then who is still to come. Pages
   * of an operation that is not finished may miss somebody.
   * @throws AppError operation_not_found, cursor_invalid
   */
  async results(
    appId: string,
    id: string,
    outcome: Outcome | null,
    limit: number,
    cursor: string | null,
  ): Promise<Page<BulkItem>> {
    const operation = await this.get(appId, id);
    const scope = `results ${appId} ${operation.id} ${outcome ?? ''}`;
    const [place = -1, seq = -1] = cursor === null ? [] : readTextCursor(scope, cursor).split('.').map(Number);
    const found = await this.items.listAfter(appId, operation.id, outcome, { outcome: place, seq }, limit + 1);
    const items = found.slice(0, limit);
    const last = found.length > limit ? items.at(-1) : undefined;
    const position = last === undefined ? '' : this.items.positionOf(last);
    return { items, cursor: last === undefined ? null : writeTextCursor(scope, position) };
  }

  /**
   * Ends an operation after the portion that is under way. What is done stays done.
   * @throws AppError operation_not_found, operation_finished
   */
  cancel(appId: string, id: string): Promise<BulkOperation> {
    const number = readOperationId(id);
    return this.database.write(async (transaction) => {
      const row = await this.operations.lock(transaction, appId, number);
      if (row === null) return notFound();
      if (isFinished(toBulkOperation(row))) throw new AppError('operation_finished', { detail: row.state });
      const end = { state: 'cancelled', finished_at: this.clock.now() };
      await this.operations.save(transaction, row, end);
      await this.audit.record(transaction, appId, [{ action: 'operation.cancel', target: id }]);
      return toBulkOperation({ ...row, ...end });
    }, appId);
  }

  private async confirmedItems(appId: string, target: BulkTarget, confirmation: string): Promise<BulkItem[]> {
    const { users, complete } = await this.targets.find(appId, target);
    const known = users.flatMap(({ user }) => user ?? []);
    if (!complete || known.length > maxNamed)
      throw new AppError('argument_invalid', { detail: `a deletion with confirm is of at most ${maxNamed} users` });
    checkConfirmation(appId, confirmation, known);
    return this.targets.toItems(users);
  }
}

/** @throws AppError operation_not_found for what cannot be the id of one */
export function readOperationId(text: string): number {
  return /^[1-9]\d{0,15}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : notFound();
}

function notFound(): never {
  throw new AppError('operation_not_found');
}
