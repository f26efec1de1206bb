import { Injectable } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { AuditLog } from '../audit/audit-log.service.js';
import type { AuditEntryRow } from '../audit/audit-entry.entity.js';
import { Clock } from '../clock/clock.js';
import { Database, UniqueViolation } from '../database/database.js';
import { currentUnit } from '../database/unit-of-work.js';
import { AppError } from '../errors/app-error.js';
import { type BulkItem, type BulkOperation, toBulkOperation } from './bulk-operation.js';
import { BulkOperationsRepository } from './bulk-operations.repository.js';
import { BulkOperationsService, readOperationId } from './bulk-operations.service.js';
import { BulkRunner } from './bulk-runner.js';
import { UndoableService } from './undoable.service.js';

const undoableForMs = 24 * 3_600_000;
/** Changes that are taken back before the answer; more of them by a worker. */
const maxAtOnce = 20;

/** Takes back operations. An undo is an operation, too, and can itself be undone. */
@Injectable()
export class OperationUndoService {
  constructor(
    private readonly database: Database,
    private readonly operations: BulkOperationsRepository,
    private readonly bulk: BulkOperationsService,
    private readonly runner: BulkRunner,
    private readonly undoable: UndoableService,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Takes back what an operation has changed, except for what somebody has changed since. Only one undo of an operation
   * ever succeeds.
   * @returns the undo: done, or `collecting` if it is large
   * @throws AppError operation_not_found, operation_unfinished, operation_too_old, operation_not_undoable,
   *   operation_undone, operations_full
   */
  async undo(app: App, id: string): Promise<BulkOperation> {
    const undoes = readOperationId(id);
    const bulk = await this.operations.find(app.id, undoes);
    if (bulk?.finished_at === 0) throw new AppError('operation_unfinished');
    const entries = await this.audit.ofOperation(app.id, undoes, 0, maxAtOnce + 1);
    const [first] = entries;
    if (first === undefined) throw bulk === null ? new AppError('operation_not_found') : notUndoable('nothing');
    if ((bulk?.finished_at ?? first.at) < this.clock.now() - undoableForMs) throw new AppError('operation_too_old');
    if (!entries.some((entry) => this.undoable.canUndo(entry))) throw notUndoable(first.action);
    try {
      if (entries.length > maxAtOnce) {
        const row = this.bulk.newRow(app, 'undo', { terms: null, filter: null }, undoes, null);
        return await this.bulk.insert(app, row, []);
      }
      return await this.undoNow(app, undoes, entries);
    } catch (error) {
      throw error instanceof UniqueViolation ? new AppError('operation_undone') : error;
    }
  }

  private undoNow(app: App, undoes: number, entries: readonly AuditEntryRow[]): Promise<BulkOperation> {
    const items = entries.map((entry): BulkItem => this.undoable.toItem(entry));
    const work = async (): Promise<BulkOperation> => {
      const row = this.bulk.newRow(app, 'undo', { terms: null, filter: null }, undoes, items);
      await this.bulk.insert(app, row, items, true);
      return toBulkOperation(await this.runner.finishNow(app, row.id));
    };
    if (currentUnit() !== undefined) return work();
    return this.database.runInUnitOfWork(work, () => Promise.resolve(), app.id);
  }
}

function notUndoable(detail: string): AppError {
  return new AppError('operation_not_undoable', { detail });
}
