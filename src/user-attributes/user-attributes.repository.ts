import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { AuditValues } from '../audit/audit-entry.js';
import { AuditTrail } from '../audit/audit-trail.service.js';
import { Clock } from '../clock/clock.js';
import { Database, type Transaction } from '../database/database.js';
import { targetOf } from '../users/user-audit.js';
import type { User } from '../users/user.js';
import { UsersService } from '../users/users.service.js';
import { type Attributes, bytesOf } from './attribute-rules.js';
import type { UserAttributesRow } from './user-attributes.entity.js';

export interface StoredAttributes {
  readonly attributes: Attributes;
  /** Unix milliseconds. */
  readonly modifiedAt: number;
}

const columns = ['app_id', 'user_uuid', 'attributes', 'bytes', 'modified_at'];
const selected = `SELECT ${columns.join(', ')} FROM user_attributes WHERE app_id = ?`;
const usageSlots = 16;

/** Reads and changes attributes; each change also updates the app's usage. */
@Injectable()
export class UserAttributesRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly users: UsersService,
    private readonly audit: AuditTrail,
  ) {}

  /** The attributes of the users who have any, by uuid; for up to 100 users at once. */
  async findAll(appId: string, userUuids: readonly string[]): Promise<ReadonlyMap<string, StoredAttributes>> {
    if (userUuids.length === 0) return new Map();
    const among = this.database.dialect.among('user_uuid', userUuids);
    const rows = await this.database.read<UserAttributesRow>(
      `${selected} AND ${among.sql}`,
      [appId, ...among.values],
      appId,
    );
    return new Map(rows.map((row) => [row.user_uuid, toStored(row)]));
  }

  /** The total size of an app's attributes, in bytes. */
  usage(appId: string): Promise<number> {
    return readUsage(this.database, appId);
  }

  /**
   * Sets a user's attributes to the result of `change`, while the user can be neither changed nor deleted. `checkUsage`
   * receives the app's usage after a change that needs more room. If `change` returns what it was given, nothing is
   * written.
   * @throws AppError user_not_found, and whatever `change` and `checkUsage` throw
   */
  change(
    appId: string,
    user: User,
    change: (before: Attributes) => Attributes,
    checkUsage: (bytes: number) => void,
  ): Promise<StoredAttributes> {
    return this.database.write(async (transaction) => {
      await this.users.lockAllForUpdate(transaction, appId, [user]);
      const before = await lock(transaction, this.database.dialect.forUpdate, appId, user.uuid);
      const known: Attributes = before === undefined ? new Map() : toStored(before).attributes;
      const attributes = change(known);
      if (attributes === known) return { attributes, modifiedAt: before?.modified_at ?? this.clock.now() };
      const stored = { attributes, modifiedAt: this.clock.now() };
      const row = toRow(appId, user.uuid, stored);
      if (before === undefined) await transaction.insert('user_attributes', columns, [{ ...row }]);
      else
        await transaction.run(
          'UPDATE user_attributes SET attributes = ?, bytes = ?, modified_at = ? WHERE app_id = ? AND user_uuid = ?',
          [row.attributes, row.bytes, row.modified_at, appId, user.uuid],
        );
      const more = row.bytes - (before?.bytes ?? 0);
      await this.count(transaction, appId, more);
      if (more > 0) checkUsage(await readUsage(transaction, appId));
      await this.note(transaction, user, known, attributes);
      return stored;
    }, appId);
  }

  /** Removes all attributes of a user, who may be deleted concurrently. */
  delete(appId: string, user: User): Promise<void> {
    return this.database.write(async (transaction) => {
      await this.users.lockForUpdate(transaction, appId, [user.username]);
      const known = await lock(transaction, this.database.dialect.forUpdate, appId, user.uuid);
      if (known === undefined) return;
      await this.note(transaction, user, toStored(known).attributes, new Map());
      await this.deleteAll(transaction, appId, [user.uuid]);
    }, appId);
  }

  /** Removes all attributes of these users, who are locked. */
  async deleteAll(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<void> {
    const { among, forUpdate } = this.database.dialect;
    const these = among('user_uuid', userUuids.toSorted());
    const rows = await transaction.read<Pick<UserAttributesRow, 'bytes'>>(
      `SELECT bytes FROM user_attributes WHERE app_id = ? AND ${these.sql}${forUpdate}`,
      [appId, ...these.values],
    );
    if (rows.length === 0) return;
    await transaction.run(`DELETE FROM user_attributes WHERE app_id = ? AND ${these.sql}`, [appId, ...these.values]);
    await this.count(transaction, appId, -rows.reduce((sum, { bytes }) => sum + bytes, 0));
  }

  /** Records the attributes that differ; null: there was or is none of that name. */
  private async note(transaction: Transaction, user: User, before: Attributes, after: Attributes): Promise<void> {
    const names = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
    if (names.length === 0) return;
    const pick = (from: Attributes): AuditValues =>
      Object.fromEntries(names.map((key) => [key, from.get(key) ?? null]));
    await this.audit.record(transaction, user.appId, [
      { action: 'user.change_attributes', ...targetOf(user), before: pick(before), after: pick(after) },
    ]);
  }

  private async count(transaction: Transaction, appId: string, bytes: number): Promise<void> {
    if (bytes === 0) return;
    const slot = this.database.engine === 'sqlite' ? 0 : randomInt(usageSlots);
    const ending = this.database.dialect.addToExisting('app_id, slot', 'bytes');
    await transaction.run(`INSERT INTO attribute_usage (app_id, slot, bytes) VALUES (?, ?, ?)${ending}`, [
      ...[appId, slot, bytes],
    ]);
  }
}

async function lock(transaction: Transaction, forUpdate: string, appId: string, userUuid: string) {
  const [row] = await transaction.read<UserAttributesRow>(`${selected} AND user_uuid = ?${forUpdate}`, [
    appId,
    userUuid,
  ]);
  return row;
}

async function readUsage(source: Pick<Transaction, 'read'>, appId: string): Promise<number> {
  const [row] = await source.read<{ bytes: number | string | null }>(
    'SELECT SUM(bytes) AS bytes FROM attribute_usage WHERE app_id = ?',
    [appId],
  );
  return Number(row?.bytes ?? 0);
}

function toRow(appId: string, userUuid: string, { attributes, modifiedAt }: StoredAttributes): UserAttributesRow {
  return {
    app_id: appId,
    user_uuid: userUuid,
    attributes: JSON.stringify(Object.fromEntries(attributes)),
    bytes: bytesOf(attributes),
    modified_at: modifiedAt,
  };
}

function toStored(row: UserAttributesRow): StoredAttributes {
  const attributes = new Map(Object.entries(JSON.parse(row.attributes) as Record<string, string>));
  return { attributes, modifiedAt: row.modified_at };
}
