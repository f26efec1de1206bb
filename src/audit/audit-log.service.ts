import { Injectable } from '@nestjs/common';
import { readTextCursor, writeTextCursor } from '../cursors/text-cursor.js';
import { breathe, CostlyReads } from '../database/costly-reads.js';
import { AppError } from '../errors/app-error.js';
import { AuditEntriesRepository, type AuditHead, type AuditPosition } from './audit-entries.repository.js';
import { AuditSeals } from './audit-seals.service.js';
import { type Condition, conditionColumns, termOf } from './audit-terms.js';
import type { AuditEntryRow } from './audit-entry.entity.js';

/** Undefined members do not narrow it. Times are Unix milliseconds. */
export interface AuditFilter {
  /** Username, id of a group, or `org/app`. */
  readonly target?: string | undefined;
  /** `app_token`, `user:ann`, `command_line:root` … */
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly fromMs?: number | undefined;
  /** Exclusive. */
  readonly toMs?: number | undefined;
}

export interface AuditPage {
  /** Newest first. */
  readonly entries: readonly AuditEntryRow[];
  /** Where the next page begins; null: there is none. */
  readonly cursor: string | null;
  /** How many entries were looked at. */
  readonly scanned: number;
  /** False: there was more to look at than one call may, so that older entries may be on the next page. */
  readonly complete: boolean;
}

const maxScanned = 5_000;
const scannedAtOnce = 500;
/** Where a list begins: before all entries. */
const newest: AuditPosition = { at: Number.MAX_SAFE_INTEGER - 1, operation_id: Number.MAX_SAFE_INTEGER, seq: 0 };

/** Answers what was changed, by whom and when, from the audit trail. */
@Injectable()
export class AuditLog {
  constructor(
    private readonly repository: AuditEntriesRepository,
    private readonly seals: AuditSeals,
    private readonly costlyReads: CostlyReads,
  ) {}

  /**
   * A page of the trail, for which at most 5,000 entries are looked at: those with one of the conditions, and those of
   * the last minutes, which have no index yet. With a condition it is a costly read.
   * @throws AppError cursor_invalid, rate_limited, overloaded
   */
  async list(appId: string, filter: AuditFilter, limit: number, cursor: string | null): Promise<AuditPage> {
    const start: AuditPosition =
      cursor === null ? { ...newest, at: (filter.toMs ?? Number.MAX_SAFE_INTEGER) - 1 } : readPosition(appId, cursor);
    const conditions = conditionsOf(filter);
    const find = (): Promise<AuditPage> => this.find(appId, conditions, (filter.fromMs ?? 0) - 1, start, limit);
    return conditions.length === 0 ? find() : this.costlyReads.run(appId, find);
  }

  /**
   * The newest entries about a target since a time: up to `limit`, for which at most 5,000 are looked at. For a
   * transaction in progress, which would stay open while a costly read waits for its turn.
   */
  async newestOf(appId: string, target: string, sinceMs: number, limit: number): Promise<readonly AuditEntryRow[]> {
    return (await this.find(appId, [{ column: 'target', value: target }], sinceMs - 1, newest, limit)).entries;
  }

  /** Up to `limit` entries of one operation after the number `afterSeq`, in the order in which they were recorded. */
  ofOperation(appId: string, operationId: number, afterSeq: number, limit: number): Promise<AuditEntryRow[]> {
    return this.repository.ofOperation(appId, operationId, afterSeq, limit);
  }

  private async find(
    appId: string,
    conditions: readonly Condition[],
    afterMs: number,
    start: AuditPosition,
    limit: number,
  ): Promise<AuditPage> {
    const term = conditions.map(termOf).find((one) => one !== null) ?? null;
    const sealedMs = term === null ? 0 : await this.seals.sealedUntil(appId);
    const found: AuditHead[] = [];
    let place = start;
    let scanned = 0;
    let more = true;
    while (more && found.length <= limit && scanned < maxScanned) {
      if (scanned > 0) await breathe();
      // What is not sealed yet has no terms, and is looked at one by one.
      const isSealed = term !== null && place.at <= sealedMs;
      // Each of them fits, if there is nothing that the index does not know.
      const atOnce = conditions.length === (isSealed ? 1 : 0) ? limit + 1 : scannedAtOnce;
      const some = isSealed
        ? await this.repository.listOfTerm(appId, term, place, afterMs, atOnce)
        : await this.repository.listBefore(appId, place, Math.max(afterMs, sealedMs), atOnce);
      const heads = isSealed ? await this.repository.findHeads(appId, some) : (some as AuditHead[]);
      found.push(...heads.filter((head) => conditions.every(({ column, value }) => head[column] === value)));
      scanned += some.length;
      place = some.at(-1) ?? place;
      more = some.length === atOnce;
      if (!more && !isSealed && term !== null && afterMs < sealedMs) {
        place = { ...newest, at: sealedMs };
        more = true;
      }
    }
    const page = found.slice(0, limit);
    const entries = await this.repository.findAll(appId, page);
    const last = page.at(-1);
    if (found.length > limit && last !== undefined)
      return { entries, cursor: writePosition(appId, last), scanned, complete: true };
    return { entries, cursor: more ? writePosition(appId, place) : null, scanned, complete: !more };
  }
}

/** The most selective one first. */
function conditionsOf(filter: AuditFilter): Condition[] {
  return conditionColumns.flatMap((column) => {
    const value = filter[column];
    return value === undefined ? [] : { column, value };
  });
}

function writePosition(appId: string, { at, operation_id, seq }: AuditPosition): string {
  return writeTextCursor(scopeOf(appId), `${at}.${operation_id}.${seq}`);
}

/** @throws AppError cursor_invalid */
function readPosition(appId: string, cursor: string): AuditPosition {
  const [at, operation, seq] = readTextCursor(scopeOf(appId), cursor).split('.').map(Number);
  if (at === undefined || operation === undefined || seq === undefined) throw new AppError('cursor_invalid');
  return { at, operation_id: operation, seq };
}

function scopeOf(appId: string): string {
  return `${appId} audit`;
}
