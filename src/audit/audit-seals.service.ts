import { Injectable } from '@nestjs/common';
import { breathe } from '../database/costly-reads.js';
import { RetentionClock } from '../retention/retention-clock.js';
import { EntriesHash, sealHash } from './audit-chain.js';
import type { AuditEntryRow } from './audit-entry.entity.js';
import { AuditEntriesRepository, type AuditHead, type AuditPosition } from './audit-entries.repository.js';
import type { AuditSealRow } from './audit-seal.entity.js';
import { AuditSealsRepository } from './audit-seals.repository.js';

/** What is wrong with a seal of the chain. */
export interface BrokenSeal {
  readonly number: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly problem: string;
}

export interface Verification {
  /** Seals and entries that were compared. */
  readonly seals: number;
  readonly entries: number;
  /** What the chain still has of its beginning; null: there is no seal yet. */
  readonly first: AuditSealRow | null;
  readonly last: AuditSealRow | null;
  readonly broken: readonly BrokenSeal[];
}

/**
 * Entries younger than this are not sealed: the time of an entry is taken before its transaction commits, and by the
 * clock of its node. Transactions take seconds; clocks have to agree within the rest.
 */
const sealingMarginMs = 60_000;
const rowsAtOnce = 500;
/** A seal ends after the millisecond in which it has this many entries. */
const entriesPerSeal = 500;
const sealsAtOnce = 100;
const dayMs = 24 * 3600 * 1000;

/**
 * Owns the chain of seals over the audit trail: each seal has a hash of the entries of a period and of the seal before
 * it, so that an entry which is changed, added or removed later no longer fits.
 */
@Injectable()
export class AuditSeals {
  constructor(
    private readonly entries: AuditEntriesRepository,
    private readonly seals: AuditSealsRepository,
    private readonly retention: RetentionClock,
  ) {}

  /** Seals what is old enough. Any number of nodes may do so at once. @returns how many entries were sealed here */
  async seal(appId: string, mayGoOn: () => boolean = () => true): Promise<number> {
    let sealed = 0;
    while (mayGoOn()) {
      const next = await this.nextSeal(appId);
      // Another node seals them at this moment: it goes on.
      if (next === null || !(await this.seals.add(next.seal, next.sealed))) break;
      sealed += next.seal.entries;
      if (next.seal.entries < entriesPerSeal) break;
      await breathe();
    }
    return sealed;
  }

  /** Until when entries are sealed, in Unix milliseconds; 0: none is. */
  async sealedUntil(appId: string): Promise<number> {
    return (await this.seals.last(appId))?.to_at ?? 0;
  }

  /** The hash of a seal that is kept, or null. */
  async hashOf(appId: string, number: number): Promise<string | null> {
    const [seal] = await this.seals.listAfter(appId, number - 1, 1);
    return seal?.number === number ? seal.hash : null;
  }

  /** Compares the chain, from its first seal that is kept, with the entries. */
  async verify(appId: string): Promise<Verification> {
    const broken: BrokenSeal[] = [];
    let [seals, entries] = [0, 0];
    let first: AuditSealRow | null = null;
    let last: AuditSealRow | null = null;
    for (;;) {
      const some: AuditSealRow[] = await this.seals.listAfter(appId, last?.number ?? 0, sealsAtOnce);
      for (const seal of some) {
        const { problem, compared } = await this.check(seal, last);
        if (problem !== null) broken.push({ number: seal.number, fromMs: seal.from_at, toMs: seal.to_at, problem });
        seals += 1;
        entries += compared;
        first ??= seal;
        last = seal;
      }
      if (some.length < sealsAtOnce) return { seals, entries, first, last, broken };
    }
  }

  /**
   * Removes the entries that have been kept for so many days, and their seals. The last of these seals stays, marked, as
   * the beginning of the chain. @returns how many entries were removed
   */
  async prune(appId: string, keptDays: number, mayGoOn: () => boolean = () => true): Promise<number> {
    const dueMs = this.retention.dueBefore(keptDays * dayMs);
    let lastDue: AuditSealRow | undefined;
    for (;;) {
      const some = await this.seals.listAfter(appId, lastDue?.number ?? 0, sealsAtOnce);
      const due = some.filter(({ to_at }) => to_at <= dueMs);
      lastDue = due.at(-1) ?? lastDue;
      if (due.length < sealsAtOnce || !mayGoOn()) break;
    }
    if (lastDue === undefined) return 0;
    // The seals go first: an entry that is missing from a seal would count as removed by somebody.
    if (lastDue.pruned === 0) await this.seals.pruneUntil(appId, lastDue.number);
    let removed = 0;
    for (let found = rowsAtOnce; found >= rowsAtOnce && mayGoOn(); removed += found)
      found = await this.entries.removeUntil(appId, lastDue.to_at, rowsAtOnce);
    return removed;
  }

  /** null: nothing is old enough. */
  private async nextSeal(appId: string): Promise<{ seal: AuditSealRow; sealed: AuditHead[] } | null> {
    const last = await this.seals.last(appId);
    const fromMs = last?.to_at ?? 0;
    const untilMs = this.retention.dueBefore(sealingMarginMs);
    const hash = new EntriesHash();
    const sealed: AuditHead[] = [];
    const add = (row: AuditEntryRow): boolean => {
      hash.add(row);
      sealed.push(row);
      return hash.count >= entriesPerSeal;
    };
    const toMs = await this.walk(appId, fromMs, untilMs, add);
    if (hash.count === 0) return null;
    const seal = {
      ...{ app_id: appId, number: (last?.number ?? 0) + 1, from_at: fromMs, to_at: toMs },
      ...{ entries: hash.count, entries_hash: hash.digest(), previous_hash: last?.hash ?? '' },
    };
    return { seal: { ...seal, hash: sealHash(seal), pruned: 0 }, sealed };
  }

  /**
   * Takes the entries later than `fromMs` up to `toMs`, or up to the end of the millisecond in which there were enough of
   * them. @param take whether that is so @returns until when
   */
  private async walk(
    appId: string,
    fromMs: number,
    toMs: number,
    take: (row: AuditEntryRow) => boolean,
  ): Promise<number> {
    let untilMs = toMs;
    let after: AuditPosition = { at: fromMs + 1, operation_id: 0, seq: 0 };
    for (;;) {
      const rows = await this.entries.listAfter(appId, after, untilMs, rowsAtOnce);
      for (const row of rows) {
        if (row.at > untilMs) return untilMs;
        if (take(row)) untilMs = Math.min(untilMs, row.at);
        after = row;
      }
      if (rows.length < rowsAtOnce) return untilMs;
      await breathe();
    }
  }

  private async check(
    seal: AuditSealRow,
    before: AuditSealRow | null,
  ): Promise<{ problem: string | null; compared: number }> {
    if (before !== null && seal.number !== before.number + 1)
      return { problem: `the seals from ${before.number + 1} to ${seal.number - 1} are missing`, compared: 0 };
    if (before !== null && (seal.previous_hash !== before.hash || seal.from_at !== before.to_at))
      return { problem: 'it does not follow from the seal before it', compared: 0 };
    if (sealHash(seal) !== seal.hash) return { problem: 'the seal itself was changed', compared: 0 };
    if (seal.pruned !== 0)
      return { problem: before === null ? null : 'its entries were removed before those of older seals', compared: 0 };
    const hash = new EntriesHash();
    await this.walk(seal.app_id, seal.from_at, seal.to_at, (row) => {
      hash.add(row);
      return false;
    });
    const found = hash.count;
    if (found !== seal.entries)
      return {
        problem: `entries were ${found < seal.entries ? 'removed' : 'added'}: it has sealed ${seal.entries}, and there are ${found}`,
        compared: found,
      };
    return { problem: hash.digest() === seal.entries_hash ? null : 'an entry was changed', compared: found };
  }
}
