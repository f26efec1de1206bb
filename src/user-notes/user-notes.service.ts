import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../audit/audit-trail.service.js';
import { Clock } from '../clock/clock.js';
import { readQueryCursor, writeQueryCursor } from '../cursors/query-cursor.js';
import { Database } from '../database/database.js';
import { AppError } from '../errors/app-error.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import { UsersService } from '../users/users.service.js';
import type { UserNoteRow } from './user-note.entity.js';
import { UserNotesRepository } from './user-notes.repository.js';

/** What the staff of an app has noted about a user. */
export interface UserNote {
  /** Grows with time. */
  readonly id: number;
  readonly author: string;
  readonly text: string;
  /** Unix milliseconds. */
  readonly at: number;
}

export interface UserNotes {
  /** The newest first. */
  readonly notes: readonly UserNote[];
  /** Where the next page begins; null: there is none. */
  readonly cursor: string | null;
}

export const maxNotes = 500;
/** Characters, counted as code points. */
export const maxNoteLength = 4_000;
export const maxAuthorLength = 255;

/** Owns the notes on users: they are added and read, never changed, and go with their user. */
@Injectable()
export class UserNotesService {
  constructor(
    private readonly repository: UserNotesRepository,
    private readonly users: UsersService,
    private readonly database: Database,
    private readonly ids: TimeOrderedIds,
    private readonly clock: Clock,
    private readonly audit: AuditTrail,
  ) {}

  /** The trail has who wrote the note, but not its text. @throws AppError user_not_found, argument_invalid, notes_full */
  async add(appId: string, nameOrUuid: string, author: string, text: string): Promise<UserNote> {
    checkText('author', author, maxAuthorLength);
    checkText('text', text, maxNoteLength);
    const user = await this.users.get(appId, nameOrUuid);
    const row = await this.database.write(async (transaction) => {
      await this.users.lockAllForUpdate(transaction, appId, [user]);
      if ((await this.repository.count(transaction, appId, user.uuid)) >= maxNotes)
        throw new AppError('notes_full', { limit: maxNotes });
      const added = { app_id: appId, user_uuid: user.uuid, id: this.ids.next(), at: this.clock.now(), author, text };
      await this.repository.add(transaction, added);
      await this.audit.record(transaction, appId, [
        { action: 'user.add_note', target: user.username, targetUuid: user.uuid, after: { id: added.id, author } },
      ]);
      return added;
    }, appId);
    return toNote(row);
  }

  /** @throws AppError user_not_found, cursor_invalid */
  async list(appId: string, nameOrUuid: string, limit: number, cursor: string | null): Promise<UserNotes> {
    const { uuid } = await this.users.get(appId, nameOrUuid);
    const scope = `notes ${appId} ${uuid}`;
    const before = cursor === null ? Number.MAX_SAFE_INTEGER : Number(readQueryCursor(scope, cursor));
    const rows = await this.repository.listBefore(appId, uuid, before, limit + 1);
    const notes = rows.slice(0, limit).map(toNote);
    return { notes, cursor: rows.length > limit ? writeQueryCursor(scope, notes.at(-1)?.id) : null };
  }
}

function toNote({ id, author, text, at }: UserNoteRow): UserNote {
  return { id, author, text, at };
}

function checkText(member: string, text: string, maxLength: number): void {
  if (text.trim() === '' || !text.isWellFormed() || text.includes('\0') || [...text].length > maxLength)
    throw new AppError('argument_invalid', {
      detail: `${member} must be well-formed text of 1 to ${maxLength} characters`,
    });
}
