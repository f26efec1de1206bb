import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../database/database.js';
import { Gatherer } from '../database/gatherer.js';
import type { InboxMessageRow } from './inbox-message.entity.js';
import { InboxesRepository, type LockedInbox } from './inboxes.repository.js';
import type { CreationWindow } from './message.js';

type UnreadMessage = Pick<InboxMessageRow, 'seq' | 'own' | 'created_at'>;
type UnreadMessageOfSender = UnreadMessage & { readonly sender: string | null };

interface ReadMark {
  readonly userUuid: string;
  readonly seq: number;
}

const marksPerRun = 300;

/** How far users have read, and what is unread. */
@Injectable()
export class UnreadMessagesRepository {
  private readonly readMarks: Gatherer<ReadMark, void>;

  constructor(
    private readonly database: Database,
    private readonly inboxes: InboxesRepository,
  ) {
    this.readMarks = new Gatherer(
      (appId, marks) => this.database.write((transaction) => this.moveReadMarks(transaction, appId, marks), appId),
      { rows: marksPerRun, runs: 1 },
    );
  }

  /** Marks everything up to `seq` as read. The mark never moves back. */
  markRead(appId: string, userUuid: string, seq: number): Promise<void> {
    return this.readMarks.add(appId, { userUuid, seq });
  }

  /** How many messages created in the window each of these users has not read; users with none are left out. */
  async count(
    appId: string,
    userUuids: readonly string[],
    { fromMs, untilMs }: CreationWindow,
  ): Promise<Map<string, number>> {
    if (userUuids.length === 0) return new Map();
    const among = this.database.dialect.among('i.user_uuid', userUuids);
    // One range of the primary key per user: the caller knows how many rows that is.
    const rows = await this.database.read<{ user_uuid: string; unread: number | string }>(
      'SELECT i.user_uuid, COUNT(i.seq) AS unread FROM inboxes b' +
        ' JOIN inbox_messages i ON i.app_id = b.app_id AND i.user_uuid = b.user_uuid AND i.seq > b.read_seq' +
        ` WHERE b.app_id = ? AND i.app_id = ? AND ${among.sql} AND i.own = 0 AND i.created_at >= ? AND i.created_at < ?` +
        ' GROUP BY i.user_uuid',
      [appId, appId, ...among.values, fromMs ?? 0, untilMs ?? Number.MAX_SAFE_INTEGER],
      appId,
    );
    return new Map(rows.map((row) => [row.user_uuid, Number(row.unread)]));
  }

  /** Up to `limit` messages of a user after `afterSeq`, in order: what decides whether they count as unread. */
  list(appId: string, userUuid: string, afterSeq: number, limit: number): Promise<UnreadMessage[]> {
    return this.database.read<UnreadMessage>(
      'SELECT seq, own, created_at FROM inbox_messages WHERE app_id = ? AND user_uuid = ? AND seq > ?' +
        ' ORDER BY seq LIMIT ?',
      [appId, userUuid, afterSeq, limit],
      appId,
    );
  }

  /** The same, with the sender of each. */
  listWithSenders(appId: string, userUuid: string, afterSeq: number, limit: number): Promise<UnreadMessageOfSender[]> {
    // Older versions stored the sender only with the content.
    return this.database.read<UnreadMessageOfSender>(
      'SELECT i.seq, i.own, i.created_at, COALESCE(i.sender, m.sender) AS sender FROM inbox_messages i' +
        ' LEFT JOIN messages m ON m.app_id = i.app_id AND m.id = i.message_id' +
        ' WHERE i.app_id = ? AND i.user_uuid = ? AND i.seq > ? ORDER BY i.seq LIMIT ?',
      [appId, userUuid, afterSeq, limit],
      appId,
    );
  }

  private async moveReadMarks(transaction: Transaction, appId: string, marks: readonly ReadMark[]): Promise<void[]> {
    const moved = new Map<string, LockedInbox>();
    const uuids = new Set(marks.map(({ userUuid }) => userUuid));
    for (const inbox of (await this.inboxes.lock(transaction, appId, [...uuids])).values()) {
      const seqs = marks.flatMap(({ userUuid, seq }) => (userUuid === inbox.user_uuid ? seq : []));
      const read_seq = Math.max(inbox.read_seq, ...seqs);
      if (read_seq > inbox.read_seq) moved.set(inbox.user_uuid, { ...inbox, read_seq });
    }
    await this.inboxes.save(transaction, moved);
    return marks.map(() => undefined);
  }
}
