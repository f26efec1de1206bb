import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { AppsService } from '../apps/apps.service.js';
import { Database, type Transaction } from '../database/database.js';
import { afterCommit } from '../database/unit-of-work.js';
import { type Removal, RemovalsRepository } from './removals.repository.js';

/**
 * Removes up to about `maxRows` rows of what these subjects have left, and answers how many that were: fewer than
 * `maxRows` when nothing is left.
 */
export type RemovalStep = (
  transaction: Transaction,
  appId: string,
  subjects: readonly string[],
  maxRows: number,
) => Promise<number>;

/**
 * With what else the transaction of a deletion writes, a transaction stays far below a thousand rows. SQLite works on the
 * thread that serves everybody, and nobody else writes meanwhile.
 */
const maxRowsPerPortion = { sqlite: 100, mysql: 300 } as const;
const listedAtOnce = 1_000;
/** After each portion it rests for twice as long as that took: the slower the database, the less it is asked for. */
const restPerWork = 2;
const minRestMs = 5;
const maxRestMs = 1_000;

/**
 * Owns deletions of any size. What is deleted is gone for everybody with the transaction that deletes it; the rows that
 * belonged to it go with that transaction as far as a portion takes them, and the rest in portions of their own. What is
 * left stands in a table, so a process that ends in the middle leaves the work to the others or to its successor.
 */
@Injectable()
export class RemovalsService {
  private readonly steps: Record<Removal['kind'], RemovalStep[]> = { user: [], group: [] };
  /** What this process has begun. */
  private readonly begun = new Set<string>();
  /** What was there in the last round, and how far it was. */
  private seen = new Map<string, number>();
  private listener: () => unknown = () => undefined;

  constructor(
    private readonly repository: RemovalsRepository,
    private readonly apps: AppsService,
    private readonly database: Database,
  ) {}

  /** What is to be removed of everything of this kind. */
  add(kind: Removal['kind'], step: RemovalStep): void {
    this.steps[kind].push(step);
  }

  /** Is told when there is something to finish. */
  onBegun(listener: () => unknown): void {
    this.listener = listener;
  }

  /** In the transaction that deletes the subjects: removes a first portion, and notes who has anything left. */
  async begin(
    transaction: Transaction,
    appId: string,
    kind: Removal['kind'],
    subjects: readonly string[],
  ): Promise<void> {
    if (await this.removePortion(transaction, appId, kind, subjects)) return;
    const removals = subjects.toSorted().map((subject): Removal => ({ kind, subject, portions: 0 }));
    await this.repository.insert(transaction, appId, removals);
    for (const removal of removals) this.begun.add(keyOf(appId, removal));
    afterCommit(() => this.listener());
  }

  /**
   * Removes what is left, portion by portion: what this process has begun, what was there in the last round too and did
   * not move since, or all. Any number of nodes may do so at once.
   * @returns how many removals came to their end
   */
  async finish({ all }: { readonly all: boolean }, mayGoOn: () => boolean = () => true): Promise<number> {
    let finished = 0;
    const seen = new Map<string, number>();
    for (const { id: appId } of await this.apps.list())
      for (let more = true; more && mayGoOn();) {
        const removals = await this.repository.list(appId, listedAtOnce);
        const before = finished;
        for (const removal of removals) {
          const key = keyOf(appId, removal);
          const mine = all || this.begun.has(key) || this.seen.get(key) === removal.portions;
          if (!mine) seen.set(key, removal.portions);
          else if (await this.finishOne(appId, removal, mayGoOn)) finished += 1;
        }
        more = removals.length === listedAtOnce && finished > before;
      }
    this.seen = seen;
    return finished;
  }

  private async finishOne(appId: string, removal: Removal, mayGoOn: () => boolean): Promise<boolean> {
    while (mayGoOn()) {
      const startedAt = performance.now();
      const done = await this.repository.workOn(appId, removal, (transaction) =>
        this.removePortion(transaction, appId, removal.kind, [removal.subject]),
      );
      if (done) {
        this.begun.delete(keyOf(appId, removal));
        return true;
      }
      const workedMs = performance.now() - startedAt;
      await sleep(Math.min(maxRestMs, Math.max(minRestMs, restPerWork * workedMs)));
    }
    return false;
  }

  /** @returns whether nothing is left */
  private async removePortion(
    transaction: Transaction,
    appId: string,
    kind: Removal['kind'],
    subjects: readonly string[],
  ): Promise<boolean> {
    let room: number = maxRowsPerPortion[this.database.engine];
    for (const step of this.steps[kind]) {
      room -= await step(transaction, appId, subjects, room);
      if (room <= 0) return false;
    }
    return true;
  }
}

function keyOf(appId: string, { kind, subject }: Removal): string {
  return `${appId} ${kind} ${subject}`;
}
