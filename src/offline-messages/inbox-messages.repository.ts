import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Gatherer } from '../database/gatherer.js';
import type { InboxMessageRow } from './inbox-message.entity.js';
import type { InboxMessage } from './message.js';
import { storedState } from './stored-state.js';

type InboxPlace = Pick<InboxMessageRow, 'user_uuid' | 'id' | 'seq' | 'state'>;

interface PlaceKey {
  readonly userUuid: string;
  readonly id: number;
}

const readsPerRun = 500;

/** Reads the contents of inboxes. */
@Injectable()
export class InboxMessagesRepository {
  private readonly places: Gatherer<PlaceKey, InboxPlace | null>;

  constructor(private readonly database: Database) {
    this.places = new Gatherer((appId, keys) => this.readPlaces(appId, keys), { rows: readsPerRun, runs: 2 });
  }

  /** The place and state of the message with this id in the user's inbox, or null. */
  find(appId: string, userUuid: string, id: number): Promise<InboxPlace | null> {
    return this.places.add(appId, { userUuid, id });
  }

  /** Up to `limit` messages after `afterSeq`, in order: the undelivered ones, and all after `liveAfterSeq`. */
  async listAfter(
    appId: string,
    userUuid: string,
    afterSeq: number,
    liveAfterSeq: number,
    limit: number,
  ): Promise<InboxMessage[]> {
    const rows = await this.database.read<{
      id: number;
      seq: number;
      offline: number;
      created_at: number;
      sender: string;
      chat_type: 'chat';
      type: string;
      body: string;
      ext: string | null;
    }>(
      'SELECT i.id, i.seq, i.offline, i.created_at, m.sender, m.chat_type, m.type, m.body, m.ext' +
        ' FROM inbox_messages i JOIN messages m ON m.app_id = i.app_id AND m.id = i.message_id' +
        ' WHERE i.app_id = ? AND i.user_uuid = ? AND i.seq > ? AND (i.state = ? OR i.seq > ?) ORDER BY i.seq LIMIT ?',
      [appId, userUuid, afterSeq, storedState.undelivered, liveAfterSeq, limit],
      appId,
    );
    return rows.map(({ offline, created_at, chat_type, ...row }) => ({
      ...row,
      offline: offline !== 0,
      createdAt: created_at,
      chatType: chat_type,
    }));
  }

  private async readPlaces(appId: string, keys: readonly PlaceKey[]): Promise<(InboxPlace | null)[]> {
    const { among, forceIndex } = this.database.dialect;
    const messages = among('id', [...new Set(keys.map(({ id }) => id))]);
    const rows = await this.database.read<InboxPlace>(
      `SELECT user_uuid, id, seq, state FROM inbox_messages${forceIndex('inbox_messages_by_id')}` +
        ` WHERE app_id = ? AND ${messages.sql}`,
      [appId, ...messages.values],
      appId,
    );
    const found = new Map(rows.map((row) => [row.id, row]));
    return keys.map(({ userUuid, id }) => {
      const row = found.get(id);
      return row?.user_uuid === userUuid ? row : null;
    });
  }
}
