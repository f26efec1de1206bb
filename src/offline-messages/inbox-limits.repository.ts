import { Injectable } from '@nestjs/common';
import type { SqlValue, Transaction } from '../database/database.js';
import type { LockedInbox, LockedInboxes } from './inboxes.repository.js';
import { MessageRemovalsRepository, type RemovableMessage, removableColumns } from './message-removals.repository.js';
import { storedState } from './stored-state.js';

interface Query {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

interface Excess {
  readonly inbox: LockedInbox;
  readonly count: number;
}

/** After the setting is lowered, inboxes may be far over it: each transaction then removes a part. */
const maxRemoved = 300;
/** How many messages of a full inbox are ranked by sender; in a larger one, half are the oldest, half the newest. */
const maxRanked = 1_000;
/** The same for all full inboxes of a transaction: 30 ms on SQLite. */
const maxRankedTogether = 30_000;
/** SELECTs in one UNION. */
const maxUnion = 50;

/** Makes room in inboxes over their limit. The caller has locked the inboxes and saves them. */
@Injectable()
export class InboxLimitsRepository {
  constructor(private readonly removals: MessageRemovalsRepository) {}

  /**
   * Removes the oldest messages of the sender with the most, one by one: a flood displaces itself and spares what
   * others wrote.
   */
  async trimKept(transaction: Transaction, appId: string, inboxes: LockedInboxes, maxKept: number): Promise<void> {
    const excess = excessOf(inboxes, (inbox) => inbox.kept - maxKept);
    const maxLooks = Math.min(maxRanked, Math.floor(maxRankedTogether / excess.length));
    const queries = excess.map(({ inbox, count }) => keptToRemove(inbox, count, maxLooks));
    await this.removeFound(transaction, appId, inboxes, queries);
  }

  /** Removes the oldest of the history: these have reached a device or never will, so only their states are lost. */
  async trimHistory(transaction: Transaction, appId: string, inboxes: LockedInboxes, maxKept: number): Promise<void> {
    const excess = excessOf(inboxes, (inbox) => inbox.history - maxKept);
    const queries = excess.map(({ inbox, count }) => historyToRemove(inbox, count));
    await this.removeFound(transaction, appId, inboxes, queries);
  }

  private async removeFound(
    transaction: Transaction,
    appId: string,
    inboxes: LockedInboxes,
    queries: readonly Query[],
  ): Promise<void> {
    const found: RemovableMessage[] = [];
    for (let start = 0; start < queries.length; start += maxUnion) {
      const some = queries.slice(start, start + maxUnion);
      const selects = some.map(({ sql }, index) => `SELECT * FROM (${sql}) AS inbox${index}`);
      found.push(
        ...(await transaction.read<RemovableMessage>(
          selects.join(' UNION ALL '),
          some.flatMap(({ values }) => values),
        )),
      );
    }
    await this.removals.remove(transaction, appId, found, inboxes);
  }
}

function excessOf(inboxes: LockedInboxes, excess: (inbox: LockedInbox) => number): Excess[] {
  let room = maxRemoved;
  return [...inboxes.values()].flatMap((inbox) => {
    const count = Math.min(excess(inbox), room);
    if (count <= 0) return [];
    room -= count;
    return { inbox, count };
  });
}

/**
 * Ranks each message among those of its sender, newest first: the highest rank is the oldest message of the sender with
 * the most. Rows of older versions have no sender and count as one sender's.
 */
function keptToRemove({ app_id, user_uuid, kept }: LockedInbox, count: number, maxLooks: number): Query {
  const all =
    `SELECT ${removableColumns}, seq, sender FROM inbox_messages` +
    ` WHERE app_id = ? AND user_uuid = ? AND state < ${storedState.history}`;
  const ends =
    `SELECT * FROM (${all} ORDER BY seq LIMIT ?) AS oldest` +
    ` UNION SELECT * FROM (${all} ORDER BY seq DESC LIMIT ?) AS newest`;
  const end = [app_id, user_uuid, Math.floor(maxLooks / 2)];
  const ranked =
    `SELECT ${removableColumns}, seq, ROW_NUMBER() OVER (PARTITION BY sender ORDER BY seq DESC) AS place` +
    ` FROM (${kept > maxLooks ? ends : all}) AS kept`;
  return {
    sql: `SELECT ${removableColumns} FROM (${ranked}) AS ranked ORDER BY place DESC, seq LIMIT ?`,
    values: [...(kept > maxLooks ? [...end, ...end] : [app_id, user_uuid]), count],
  };
}

function historyToRemove({ app_id, user_uuid }: LockedInbox, count: number): Query {
  return {
    sql:
      `SELECT ${removableColumns} FROM inbox_messages` +
      ` WHERE app_id = ? AND user_uuid = ? AND state >= ${storedState.history} ORDER BY seq LIMIT ?`,
    values: [app_id, user_uuid, count],
  };
}
