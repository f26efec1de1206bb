import { Injectable, Logger } from '@nestjs/common';
import type { App } from '../apps/app.js';
import type { Caller } from '../audit/caller.js';
import { AuditLog } from '../audit/audit-log.service.js';
import { runInOperation } from '../audit/operation.js';
import { Clock } from '../clock/clock.js';
import { Database, type Transaction } from '../database/database.js';
import { currentUnit } from '../database/unit-of-work.js';
import { AppError } from '../errors/app-error.js';
import type { BanOrigin } from '../users/ban-terms.js';
import { type Revocation, UserRevocationsService } from '../users/user-revocations.service.js';
import { UsersService } from '../users/users.service.js';
import { UserWalksService } from '../users/user-walks.service.js';
import type { BulkOperationRow } from './bulk-operation.entity.js';
import {
  type BulkAction,
  type BulkItem,
  type BulkOperation,
  type ItemResult,
  toBulkOperation,
} from './bulk-operation.js';
import { BulkItemsRepository } from './bulk-items.repository.js';
import { BulkOperationsRepository } from './bulk-operations.repository.js';
import { ItemOperation } from './item-operation.js';
import { UndoableService } from './undoable.service.js';

/** Users that one transaction changes. A deletion removes more than the row of the user. */
const itemsPerPortion = { delete: 5, others: 20 } as const;
/** Users or entries that one transaction looks at to collect items. */
const collectedPerPortion = 250;
/** How long nobody else works on an operation after its last portion. */
const leaseMs = 10_000;

const whyUnchanged: Readonly<Partial<Record<BulkAction, string>>> = { ban: 'already_banned', unban: 'not_banned' };

/**
 * Works on operations portion by portion. A portion is one transaction, under the lock of the operation: the changes,
 * their audit entries, their results and the progress. So whoever takes over, and whenever, each item is done once.
 */
@Injectable()
export class BulkRunner {
  private readonly logger = new Logger('BulkOperations');

  constructor(
    private readonly database: Database,
    private readonly operations: BulkOperationsRepository,
    private readonly items: BulkItemsRepository,
    private readonly undoable: UndoableService,
    private readonly audit: AuditLog,
    private readonly users: UsersService,
    private readonly walks: UserWalksService,
    private readonly revocations: UserRevocationsService,
    private readonly clock: Clock,
  ) {}

  /**
   * Does one portion. An item that fails in a way that is not the database's is recorded as failed.
   * @param worker who does it
   * @returns whether there is more to do for this worker
   * @throws AppError database_unavailable, overloaded
   */
  async portion(app: App, id: number, worker: string): Promise<boolean> {
    try {
      return await this.attempt(app, id, worker, null);
    } catch (error) {
      if (isOfDatabase(error)) throw error;
    }
    // One of them fails, so each gets a transaction of its own.
    const tried = { item: null as BulkItem | null };
    try {
      return await this.attempt(app, id, worker, tried);
    } catch (error) {
      if (isOfDatabase(error)) throw error;
      if (tried.item === null) return this.giveUp(app, id, error);
      return this.recordFailure(app, id, tried.item, error);
    }
  }

  /** Does all of a small operation in the current unit of work. @returns its final state */
  async finishNow(app: App, id: number): Promise<BulkOperationRow> {
    while (await this.attemptInUnit(app, id, null, null));
    const row = await this.operations.find(app.id, id);
    if (row === null) throw new Error('the operation that was just created is gone');
    return row;
  }

  /** Collects the next items of a locked operation. */
  async collect(transaction: Transaction, app: App, row: BulkOperationRow): Promise<void> {
    const { items, collectedTo } = await this.nextItems(app, row);
    await this.items.insert(transaction, app.id, row.id, items);
    await this.operations.save(transaction, row, {
      state: collectedTo === null ? 'running' : 'collecting',
      collected_to: collectedTo ?? row.collected_to,
      total: row.total + items.length,
      failed: row.failed + items.filter(({ outcome }) => outcome === 'failed').length,
    });
  }

  private attempt(app: App, id: number, worker: string, single: { item: BulkItem | null } | null): Promise<boolean> {
    const work = (): Promise<boolean> => this.attemptInUnit(app, id, worker, single);
    return this.database.runInUnitOfWork(work, () => Promise.resolve(), app.id);
  }

  private async attemptInUnit(
    app: App,
    id: number,
    worker: string | null,
    single: { item: BulkItem | null } | null,
  ): Promise<boolean> {
    const inTransaction = <Result>(work: (transaction: Transaction) => Promise<Result>): Promise<Result> =>
      this.database.write(work, app.id);
    const row = await inTransaction((transaction) => this.operations.lock(transaction, app.id, id));
    const now = this.clock.now();
    if (row === null || row.finished_at !== 0) return false;
    if (worker !== null && row.lease_owner !== worker && row.lease_until > now) return false;
    if (row.state === 'collecting') {
      await inTransaction(async (transaction) => {
        await this.collect(transaction, app, row);
        await this.operations.save(transaction, row, { lease_owner: worker, lease_until: now + leaseMs });
      });
      return true;
    }
    const size = single !== null ? 1 : itemsPerPortion[row.action === 'delete' ? 'delete' : 'others'];
    const items = await inTransaction((transaction) => this.items.listWaiting(transaction, app.id, id, size));
    if (items.length === 0) {
      const last = { state: 'done', finished_at: now, lease_until: 0 };
      await inTransaction((transaction) => this.operations.save(transaction, row, last));
      return false;
    }
    if (single !== null) single.item = items[0] ?? null;
    const results = await this.applyAll(app, toBulkOperation(row), items);
    await inTransaction((transaction) => this.record(transaction, row, results, worker));
    return true;
  }

  private async applyAll(app: App, operation: BulkOperation, items: readonly BulkItem[]) {
    if (currentUnit() === undefined) throw new Error('items are changed in a unit of work');
    // All of them first and in key order, as everywhere, which prevents deadlocks.
    const names = items.flatMap(({ target, userUuid }) => (userUuid === null ? [] : target));
    await this.database.write((transaction) => this.users.lockForUpdate(transaction, app.id, names), app.id);
    const parts = items.map((item) => new ItemOperation(operation.id, operation.caller, item.seq));
    const { terms, undoes, caller } = operation;
    const origin: BanOrigin = { by: byOf(caller), source: caller.type === 'command_line' ? 'command_line' : 'agora' };
    const results = new Map<BulkItem, ItemResult>();
    if (undoes === null && terms !== null && terms.action !== 'delete')
      return this.revoke(app, items, parts, { action: terms.action, terms, origin });
    for (const [index, item] of items.entries()) {
      const apply = () => (undoes === null ? this.delete(app, item) : this.takeBack(app, undoes, item, origin));
      results.set(item, await runInOperation(parts[index], apply));
    }
    return results;
  }

  /** All of them in a few statements. */
  private async revoke(
    app: App,
    items: readonly BulkItem[],
    parts: readonly ItemOperation[],
    revocation: Revocation,
  ): Promise<Map<BulkItem, ItemResult>> {
    const uuids = items.map(({ userUuid }) => userUuid ?? '');
    const known = await this.users.findAllByUuid(app.id, uuids);
    const users = uuids.flatMap((uuid) => known.get(uuid) ?? []);
    const operations = parts.filter((_part, index) => known.has(uuids[index] as string));
    const changes = await this.revocations.applyEach(app.id, users, revocation, operations);
    const changed = new Map(users.map(({ uuid }, index) => [uuid, changes[index] ?? null]));
    return new Map(
      items.map((item): [BulkItem, ItemResult] => {
        const is = changed.get(item.userUuid ?? '') ?? null;
        if (is === null) return [item, { outcome: 'failed', code: 'user_not_found' }];
        const unchanged = { outcome: 'unchanged', code: whyUnchanged[revocation.action] ?? null } as const;
        return [item, is ? { outcome: 'changed', code: null } : unchanged];
      }),
    );
  }

  private async takeBack(app: App, undoes: number, item: BulkItem, origin: BanOrigin): Promise<ItemResult> {
    const [entry] = await this.audit.ofOperation(app.id, undoes, item.seq - 1, 1);
    return entry?.seq === item.seq
      ? this.undoable.undo(app, entry, origin)
      : { outcome: 'failed', code: 'entry_expired' };
  }

  private async delete(app: App, { userUuid }: BulkItem): Promise<ItemResult> {
    const user = await this.users.findByUuid(app.id, userUuid ?? '');
    if (user === null) return { outcome: 'failed', code: 'user_not_found' };
    await this.users.delete(app.id, user.uuid);
    return { outcome: 'changed', code: null };
  }

  private async record(
    transaction: Transaction,
    row: BulkOperationRow,
    results: ReadonlyMap<BulkItem, ItemResult>,
    worker: string | null,
  ): Promise<void> {
    await this.items.finish(transaction, row.app_id, row.id, results);
    const having = (outcome: ItemResult['outcome']): number =>
      [...results.values()].filter((result) => result.outcome === outcome).length;
    await this.operations.save(transaction, row, {
      changed: row.changed + having('changed'),
      unchanged: row.unchanged + having('unchanged'),
      failed: row.failed + having('failed'),
      lease_owner: worker,
      lease_until: worker === null ? 0 : this.clock.now() + leaseMs,
    });
  }

  private async nextItems(app: App, row: BulkOperationRow): Promise<{ items: BulkItem[]; collectedTo: number | null }> {
    const { filter, undoes } = toBulkOperation(row);
    if (undoes !== null) {
      const entries = await this.audit.ofOperation(app.id, undoes, row.collected_to, collectedPerPortion);
      const items = entries.map((entry) => this.undoable.toItem(entry));
      return { items, collectedTo: entries.length < collectedPerPortion ? null : (entries.at(-1)?.seq ?? null) };
    }
    const { users, nextId } = await this.walks.step(app.id, filter ?? {}, row.collected_to, collectedPerPortion);
    const items = users.map(({ username, uuid }, index): BulkItem => ({
      ...{ seq: row.total + index + 1, target: username, userUuid: uuid, outcome: 'waiting', code: null },
    }));
    return { items, collectedTo: nextId };
  }

  /** @returns true: the next item may fare better */
  private async recordFailure(app: App, id: number, item: BulkItem, error: unknown): Promise<boolean> {
    const code = error instanceof AppError ? error.code : 'internal';
    if (code === 'internal') this.logger.error(`Operation ${id} failed for one user: ${(error as Error).stack}`);
    await this.database.write(async (transaction) => {
      const row = await this.operations.lock(transaction, app.id, id);
      if (row === null || row.finished_at !== 0) return;
      const [next] = await this.items.listWaiting(transaction, app.id, id, 1);
      const results = new Map([[item, { outcome: 'failed', code } as const]]);
      if (next?.seq === item.seq) await this.record(transaction, row, results, row.lease_owner);
    }, app.id);
    return true;
  }

  private async giveUp(app: App, id: number, error: unknown): Promise<boolean> {
    this.logger.error(`Operation ${id} failed: ${(error as Error).stack}`);
    await this.database.write(async (transaction) => {
      const row = await this.operations.lock(transaction, app.id, id);
      if (row?.finished_at === 0)
        await this.operations.save(transaction, row, { state: 'failed', finished_at: this.clock.now() });
    }, app.id);
    return false;
  }
}

/** As single bans say it. */
function byOf({ type, id }: Caller): string {
  return (id === '' ? type : `${type}: ${id}`).replace('_', ' ');
}

function isOfDatabase(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'database_unavailable' || error.code === 'overloaded');
}
