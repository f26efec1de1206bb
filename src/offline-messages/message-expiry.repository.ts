import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { InboxesRepository } from './inboxes.repository.js';
import { MessageRemovalsRepository, type RemovableMessage, removableColumns } from './message-removals.repository.js';

/** Removes messages older than an id, in small transactions that any number of nodes may run at once. */
@Injectable()
export class MessageExpiryRepository {
  constructor(
    private readonly database: Database,
    private readonly inboxes: InboxesRepository,
    private readonly removals: MessageRemovalsRepository,
  ) {}

  /**
   * Removes up to `limit` messages with ids below `beforeId` from inboxes, oldest first.
   * @returns how many were found
   */
  async deleteBefore(appId: string, beforeId: number, limit: number): Promise<number> {
    const due = await this.database.read<RemovableMessage>(
      `SELECT ${removableColumns} FROM inbox_messages${this.byId} WHERE app_id = ? AND id < ? ORDER BY id LIMIT ?`,
      [appId, beforeId, limit],
      appId,
    );
    if (due.length > 0) await this.delete(appId, due);
    return due.length;
  }

  /**
   * Looks at up to `limit` messages with ids from `fromId` on and below `beforeId`, and removes the content that no
   * inbox holds.
   * @returns the last id looked at; null: none remain
   */
  async deleteUnheld(appId: string, fromId: number, beforeId: number, limit: number): Promise<number | null> {
    const rows = await this.database.read<{ id: number }>(
      'SELECT id FROM messages WHERE app_id = ? AND id >= ? AND id < ? ORDER BY id LIMIT ?',
      [appId, fromId, beforeId, limit],
      appId,
    );
    const ids = rows.map((row) => row.id);
    if (ids.length > 0)
      await this.database.write((transaction) => this.removals.removeUnheld(transaction, appId, ids), appId);
    return rows.length === limit ? (ids.at(-1) ?? null) : null;
  }

  /** Under the locks of their inboxes. Another node may already have removed some of them. */
  private async delete(appId: string, messages: readonly RemovableMessage[]): Promise<void> {
    await this.database.write(async (transaction) => {
      const uuids = new Set(messages.map((message) => message.user_uuid));
      const inboxes = await this.inboxes.lock(transaction, appId, [...uuids]);
      const among = this.database.dialect.among(
        'id',
        messages.map(({ id }) => id),
      );
      const present = await transaction.read<RemovableMessage>(
        `SELECT ${removableColumns} FROM inbox_messages${this.byId} WHERE app_id = ? AND ${among.sql}`,
        [appId, ...among.values],
      );
      await this.removals.remove(transaction, appId, present, inboxes);
      await this.inboxes.save(transaction, inboxes);
    }, appId);
  }

  private get byId(): string {
    return this.database.dialect.forceIndex('inbox_messages_by_id');
  }
}
