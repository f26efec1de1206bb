import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { AppsService } from '../apps/apps.service.js';
import { Database, type Transaction } from '../database/database.js';
import { afterCommit } from '../database/unit-of-work.js';
import { type Removal, RemovalsRepository } from './removals.repository.js';

/** Part of what deleted subjects leave behind, to be removed in one transaction. */
export interface RemovalPortion {
  readonly transaction: Transaction;
  readonly appId: string;
  /** The uuids of users, or the ids of groups or lists of contacts. */
  readonly subjects: readonly string[];
  /** About how many rows the portion may have. */
  readonly maxRows: number;
}

/** Removes a portion and returns how many rows that was: fewer than `maxRows` when nothing is left. */
export type RemovalStep = (portion: RemovalPortion) => Promise<number>;

/**
 * Together with the deletion's other writes, a transaction stays far below a thousand rows. SQLite runs on the thread
 * that serves all calls, and blocks other writes meanwhile.
 */
const maxRowsPerPortion = { sqlite: 100, mysql: 300 } as const;
const listedAtOnce = 1_000;
/** The pause after each portion is twice as long as the portion took: the slower the database, the lower the load. */
const restPerWork = 2;
const minRestMs = 5;
const maxRestMs = 1_000;

/**
 * Owns deletions of any size. A deleted subject is gone for every caller once the deleting transaction commits. That
 * transaction also removes a first portion of the subject's rows; the rest follows in further portions. A table records
 * what is left, so another node or the next process takes over if this one stops midway.
 */
@Injectable()
export class RemovalsService {
  private readonly steps: Record<Removal['kind'], RemovalStep[]> = { user: [], group: [], contacts: [] };
  /** Removals begun by this process. */
  private readonly begun = new Set<string>();
  /** The removals of the last round, with their portions so far. */
  private seen = new Map<string, number>();
  private onBegunListener: () => unknown = () => undefined;

  constructor(
    private readonly repository: RemovalsRepository,
    private readonly apps: AppsService,
    private readonly database: Database,
  ) {}

  /** Registers `step` to remove what deleted subjects of this kind leave behind. */
  register(kind: Removal['kind'], step: RemovalStep): void {
    this.steps[kind].push(step);
  }

  /** Calls the listener when a removal has begun that needs finishing. */
  onBegun(listener: () => unknown): void {
    this.onBegunListener = listener;
  }

  /** Call it in the transaction that deletes the subjects: removes a first portion, and records what is left. */
  async begin(
    transaction: Transaction,
    appId: string,
    kind: Removal['kind'],
    subjects: readonly string[],
  ): Promise<void> {
    if (await this.removePortion(kind, transaction, appId, subjects)) return;
    const removals = subjects.toSorted().map((subject): Removal => ({ kind, subject, portions: 0 }));
    await this.repository.insert(transaction, appId, removals);
    for (const removal of removals) this.begun.add(keyOf(appId, removal));
    afterCommit(() => this.onBegunListener());
  }

  /**
   * Finishes removals, portion by portion: all, or those that this process began and those without progress since the
   * last round. Any number of nodes may do so at once.
   * @returns how many removals were completed
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
        this.removePortion(removal.kind, transaction, appId, [removal.subject]),
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
    kind: Removal['kind'],
    transaction: Transaction,
    appId: string,
    subjects: readonly string[],
  ): Promise<boolean> {
    let room: number = maxRowsPerPortion[this.database.engine];
    for (const step of this.steps[kind]) {
      room -= await step({ transaction, appId, subjects, maxRows: room });
      if (room <= 0) return false;
    }
    return true;
  }
}

function keyOf(appId: string, { kind, subject }: Removal): string {
  return `${appId} ${kind} ${subject}`;
}
