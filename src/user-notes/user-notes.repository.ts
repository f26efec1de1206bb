import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../database/database.js';
import { RemovalsService } from '../removals/removals.service.js';
import type { UserNoteRow } from './user-note.entity.js';

const columns = ['app_id', 'user_uuid', 'id', 'at', 'author', 'text'];

/** Reads and adds notes. Every statement touches one app. */
@Injectable()
export class UserNotesRepository {
  constructor(
    private readonly database: Database,
    removals: RemovalsService,
  ) {
    removals.register('user', async ({ transaction, appId, subjects, maxRows }) => {
      const { among, forUpdate } = this.database.dialect;
      const uuids = among('user_uuid', [...subjects].sort());
      const rows = await transaction.read<Pick<UserNoteRow, 'user_uuid' | 'id'>>(
        `SELECT user_uuid, id FROM user_notes WHERE app_id = ? AND ${uuids.sql} ORDER BY user_uuid, id LIMIT ?${forUpdate}`,
        [appId, ...uuids.values, maxRows],
      );
      if (rows.length === 0) return 0;
      const notes = this.database.dialect.amongPairs(
        ['user_uuid', 'id'],
        rows.map(({ user_uuid, id }) => [user_uuid, id] as const),
      );
      await transaction.run(`DELETE FROM user_notes WHERE app_id = ? AND ${notes.sql}`, [appId, ...notes.values]);
      return rows.length;
    });
  }

  /** Adds a note, while the user's row is locked. */
  async add(transaction: Transaction, note: UserNoteRow): Promise<void> {
    await transaction.insert('user_notes', columns, [{ ...note }]);
  }

  /** How many notes a user has. They are few. */
  async count(transaction: Transaction, appId: string, userUuid: string): Promise<number> {
    const [row] = await transaction.read<{ notes: number | string }>(
      'SELECT COUNT(*) AS notes FROM user_notes WHERE app_id = ? AND user_uuid = ?',
      [appId, userUuid],
    );
    return Number(row?.notes ?? 0);
  }

  /** Up to `limit` notes of a user before the one with the id `beforeId`, the newest first. */
  listBefore(appId: string, userUuid: string, beforeId: number, limit: number): Promise<UserNoteRow[]> {
    return this.database.read<UserNoteRow>(
      `SELECT ${columns.join(', ')} FROM user_notes WHERE app_id = ? AND user_uuid = ? AND id < ?` +
        ' ORDER BY id DESC LIMIT ?',
      [appId, userUuid, beforeId, limit],
      appId,
    );
  }
}
