import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../database/database.js';
import { type RemovalPortion, RemovalsService } from '../removals/removals.service.js';
import { UserEvents } from '../users/user-events.js';
import type { InboxMessageRow } from './inbox-message.entity.js';
import type { LockedInboxes } from './inboxes.repository.js';
import { storedState } from './stored-state.js';

export type RemovableMessage = Pick<InboxMessageRow, 'user_uuid' | 'id' | 'message_id' | 'state'>;

export const removableColumns = 'user_uuid, id, message_id, state';
/** A message in an inbox, and its content if no other inbox holds it. */
const rowsPerMessage = 2;

/** Removes messages from inboxes, and the content with the last inbox that holds it. */
@Injectable()
export class MessageRemovalsRepository {
  constructor(
    private readonly database: Database,
    events: UserEvents,
    removals: RemovalsService,
  ) {
    events.onDeleteInTransaction((transaction, appId, users) =>
      this.deleteInboxes(
        transaction,
        appId,
        users.map((user) => user.uuid),
      ),
    );
    removals.register('user', (portion) => this.removeLeftovers(portion));
  }

  /** Removes these messages and updates the counters of the inboxes, which the caller has locked and saves. */
  async remove(
    transaction: Transaction,
    appId: string,
    messages: readonly RemovableMessage[],
    inboxes: LockedInboxes,
  ): Promise<void> {
    if (messages.length === 0) return;
    for (const { user_uuid, state } of messages) {
      const inbox = inboxes.get(user_uuid);
      if (inbox === undefined) continue;
      if (state === storedState.undelivered) inbox.undelivered -= 1;
      if (state >= storedState.history) inbox.history -= 1;
      else inbox.kept -= 1;
    }
    const { among, forceIndexToChange } = this.database.dialect;
    const gone = among('id', messages.map(({ id }) => id).sort(byValue));
    await transaction.run(
      `DELETE FROM inbox_messages${forceIndexToChange('inbox_messages_by_id')} WHERE app_id = ? AND ${gone.sql}`,
      [appId, ...gone.values],
    );
    await this.removeUnheld(transaction, appId, [...new Set(messages.map((message) => message.message_id))]);
  }

  /** Removes the content of those messages that no inbox holds any more. */
  async removeUnheld(transaction: Transaction, appId: string, messageIds: readonly number[]): Promise<void> {
    const among = this.database.dialect.among('message_id', messageIds);
    const held = await transaction.read<{ message_id: number }>(
      `SELECT DISTINCT message_id FROM inbox_messages WHERE app_id = ? AND ${among.sql}`,
      [appId, ...among.values],
    );
    const kept = new Set(held.map((row) => row.message_id));
    const unheld = messageIds.filter((id) => !kept.has(id)).sort(byValue);
    if (unheld.length === 0) return;
    const gone = this.database.dialect.among('id', unheld);
    await transaction.run(`DELETE FROM messages WHERE app_id = ? AND ${gone.sql}`, [appId, ...gone.values]);
  }

  /** Leaves the messages behind, unreachable, for `removeLeftovers`. */
  private async deleteInboxes(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<void> {
    const among = this.database.dialect.among('user_uuid', [...userUuids].sort());
    await transaction.run(`DELETE FROM inboxes WHERE app_id = ? AND ${among.sql}`, [appId, ...among.values]);
  }

  private async removeLeftovers({ transaction, appId, subjects, maxRows }: RemovalPortion): Promise<number> {
    const among = this.database.dialect.among('user_uuid', subjects);
    const messages = await transaction.read<RemovableMessage>(
      `SELECT ${removableColumns} FROM inbox_messages WHERE app_id = ? AND ${among.sql} LIMIT ?`,
      [appId, ...among.values, Math.ceil(maxRows / rowsPerMessage)],
    );
    await this.remove(transaction, appId, messages, new Map());
    return messages.length * rowsPerMessage;
  }
}

function byValue(one: number, other: number): number {
  return one - other;
}
