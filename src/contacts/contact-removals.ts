import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { type RemovalPortion, RemovalsService } from '../removals/removals.service.js';
import type { ContactRow } from './contact.entity.js';
import { ContactListsRepository } from './contact-lists.repository.js';

/** The rows of both sides, and the counter of the friend's list. */
const rowsPerContact = 3;

type Pair = Pick<ContactRow, 'list_id' | 'friend_list_id' | 'friend_uuid'>;

/** Removes in portions, on both sides, the contacts of deleted users and of lists that were cleared. */
@Injectable()
export class ContactRemovals {
  constructor(
    private readonly database: Database,
    private readonly lists: ContactListsRepository,
    removals: RemovalsService,
  ) {
    removals.register('user', (portion) => this.removeOfUsers(portion));
    removals.register('contacts', (portion) => this.removeOfLists(portion, portion.subjects.map(Number)));
  }

  private async removeOfUsers(portion: RemovalPortion): Promise<number> {
    const { transaction, appId, subjects, maxRows } = portion;
    const lists = await this.lists.lock(transaction, appId, subjects);
    if (lists.size === 0) return 0;
    const rows = await this.removeOfLists(
      portion,
      [...lists.values()].map((list) => list.list_id),
    );
    if (rows >= maxRows) return rows;
    await this.lists.delete(transaction, appId, [...lists.keys()]);
    return rows + lists.size;
  }

  private async removeOfLists({ transaction, appId, maxRows }: RemovalPortion, listIds: number[]): Promise<number> {
    const { among, amongPairs } = this.database.dialect;
    const lists = among('list_id', listIds.sort(byValue));
    const pairs = await transaction.read<Pair>(
      `SELECT list_id, friend_list_id, friend_uuid FROM contacts WHERE app_id = ? AND ${lists.sql} LIMIT ?`,
      [appId, ...lists.values, Math.ceil(maxRows / rowsPerContact)],
    );
    if (pairs.length === 0) return 0;
    const friends = await this.lists.lock(transaction, appId, [...new Set(pairs.map((pair) => pair.friend_uuid))]);
    const both = pairs.flatMap(({ list_id, friend_list_id }): [number, number][] => [
      [list_id, friend_list_id],
      [friend_list_id, list_id],
    ]);
    const gone = amongPairs(['list_id', 'friend_list_id'], both.sort(byPair));
    await transaction.run(`DELETE FROM contacts WHERE app_id = ? AND ${gone.sql}`, [appId, ...gone.values]);
    for (const pair of pairs) {
      const list = friends.get(pair.friend_uuid);
      // A list that has since been cleared has restarted its counter.
      if (list?.list_id === pair.friend_list_id) list.contacts -= 1;
    }
    await this.lists.save(transaction, [...friends.values()]);
    return pairs.length * rowsPerContact;
  }
}

function byValue(one: number, other: number): number {
  return one - other;
}

function byPair(one: readonly [number, number], other: readonly [number, number]): number {
  return one[0] - other[0] || one[1] - other[1];
}
