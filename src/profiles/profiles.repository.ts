import { Injectable } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { differences } from '../audit/audit-entry.js';
import { AuditTrail } from '../audit/audit-trail.service.js';
import { Database, type Transaction } from '../database/database.js';
import { Gatherer } from '../database/gatherer.js';
import { targetOf } from '../users/user-audit.js';
import type { User } from '../users/user.js';
import type { UserProfileRow } from './user-profile.entity.js';
import { deriveUserToken, drawTokenVersion, hashUserToken } from './user-token.js';

/** Changes to a profile; undefined fields stay as they are. */
export interface ProfileChange {
  readonly avatarUrl?: string | undefined;
  /** JSON */
  readonly extras?: string | undefined;
}

/** The owner of a token hash. */
export interface TokenOwner {
  readonly userUuid: string;
  readonly tokenVersion: number;
  /** The user's epoch at the same moment. */
  readonly tokenEpoch: number;
}

const columns = ['app_id', 'user_uuid', 'user_id', 'avatar_url', 'extras', 'token_version', 'token_hash'] as const;
type OwnerRow = Pick<UserProfileRow, 'token_hash' | 'user_uuid' | 'token_version'> & { readonly token_epoch: number };

const rowsPerRun = 500;

/** Reads and changes profiles. Every statement touches one app. */
@Injectable()
export class ProfilesRepository {
  private readonly byUuid: Gatherer<string, UserProfileRow | null>;
  private readonly owners: Gatherer<string, TokenOwner | null>;

  constructor(
    private readonly database: Database,
    private readonly audit: AuditTrail,
  ) {
    const limits = { rows: rowsPerRun, runs: 2 };
    this.byUuid = new Gatherer(async (appId, uuids) => {
      const among = database.dialect.among('user_uuid', uuids);
      const rows = await database.read<UserProfileRow>(
        `SELECT ${columns.join(', ')} FROM user_profiles WHERE app_id = ? AND ${among.sql}`,
        [appId, ...among.values],
        appId,
      );
      const found = new Map(rows.map((row) => [row.user_uuid, row]));
      return uuids.map((uuid) => found.get(uuid) ?? null);
    }, limits);
    this.owners = new Gatherer(async (appId, hashes) => {
      const { forceIndex, selectInOrder } = database.dialect;
      const among = database.dialect.among('p.token_hash', hashes);
      // Left alone, SQLite prefers the app, the first column of the primary key, to the index by token.
      const rows = await database.read<OwnerRow>(
        `${selectInOrder} p.token_hash, p.user_uuid, p.token_version, u.token_epoch` +
          ` FROM user_profiles p${forceIndex('user_profiles_by_token')}` +
          ` CROSS JOIN users u${forceIndex('users_by_uuid')} ON u.app_id = p.app_id AND u.uuid = p.user_uuid` +
          ` WHERE p.app_id = ? AND ${among.sql}`,
        [appId, ...among.values],
        appId,
      );
      const found = new Map(
        rows.map((row) => [
          row.token_hash,
          { userUuid: row.user_uuid, tokenVersion: row.token_version, tokenEpoch: row.token_epoch },
        ]),
      );
      return hashes.map((hash) => found.get(hash) ?? null);
    }, limits);
  }

  /** The profile of a user, or null if none was ever written. */
  find(appId: string, userUuid: string): Promise<UserProfileRow | null> {
    return this.byUuid.add(appId, userUuid);
  }

  /** The profiles of these users, in their order. */
  async findAll(appId: string, userUuids: readonly string[]): Promise<(UserProfileRow | null)[]> {
    const profiles: (UserProfileRow | null)[] = [];
    for (let start = 0; start < userUuids.length; start += rowsPerRun)
      profiles.push(...(await this.byUuid.addAll(appId, userUuids.slice(start, start + rowsPerRun))));
    return profiles;
  }

  /**
   * The owner of the token with this hash, with that user's epoch at the same moment: a reset moves both together, so
   * comparing this epoch later tells whether the token was still valid. The hash may come from an earlier secret of the
   * app.
   */
  findTokenOwner(appId: string, tokenHash: string): Promise<TokenOwner | null> {
    return this.owners.add(appId, tokenHash);
  }

  /** Writes a profile; the first time, with the name `userId`. The user is locked or new. */
  async save(transaction: Transaction, app: App, user: User, userId: string, change: ProfileChange): Promise<void> {
    const known = await this.read(transaction, app.id, user.uuid);
    const before = { avatar_url: known?.avatar_url ?? null, extras: known?.extras ?? null };
    const after = { avatar_url: change.avatarUrl ?? before.avatar_url, extras: change.extras ?? before.extras };
    const changed = differences(before, after, ['avatar_url', 'extras']);
    if (changed !== undefined)
      await this.audit.record(transaction, app.id, [{ action: 'user.change_profile', ...targetOf(user), ...changed }]);
    if (known === undefined) {
      const version = drawTokenVersion();
      const row: UserProfileRow = {
        app_id: app.id,
        user_uuid: user.uuid,
        user_id: userId,
        ...after,
        token_version: version,
        token_hash: hashUserToken(deriveUserToken(app, user.uuid, version)),
      };
      await transaction.insert('user_profiles', columns, [{ ...row }]);
    } else if (changed !== undefined) {
      await transaction.run('UPDATE user_profiles SET avatar_url = ?, extras = ? WHERE app_id = ? AND user_uuid = ?', [
        after.avatar_url,
        after.extras,
        app.id,
        user.uuid,
      ]);
    }
  }

  /** Ends the user token; the next one is valid at once. The user is locked. */
  async resetToken(transaction: Transaction, app: App, user: User): Promise<void> {
    await this.save(transaction, app, user, user.username, {});
    await this.setToken(transaction, app, user, drawTokenVersion());
  }

  /** Makes the current user token findable, creating the profile if there is none. The user is locked. */
  async keepToken(transaction: Transaction, app: App, user: User): Promise<void> {
    await this.save(transaction, app, user, user.username, {});
    const row = await this.read(transaction, app.id, user.uuid);
    if (row !== undefined && !isCurrent(app, row)) await this.setToken(transaction, app, user, row.token_version);
  }

  async deleteAll(transaction: Transaction, appId: string, userUuids: readonly string[]): Promise<void> {
    const among = this.database.dialect.among('user_uuid', [...userUuids].sort());
    await transaction.run(`DELETE FROM user_profiles WHERE app_id = ? AND ${among.sql}`, [appId, ...among.values]);
  }

  /** Runs `work` in a transaction of its own. */
  write<Result>(appId: string, work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.database.write(work, appId);
  }

  private async setToken(transaction: Transaction, app: App, { uuid }: User, version: number): Promise<void> {
    await transaction.run(
      'UPDATE user_profiles SET token_version = ?, token_hash = ? WHERE app_id = ? AND user_uuid = ?',
      [version, hashUserToken(deriveUserToken(app, uuid, version)), app.id, uuid],
    );
  }

  private async read(transaction: Transaction, appId: string, userUuid: string): Promise<UserProfileRow | undefined> {
    const [row] = await transaction.read<UserProfileRow>(
      `SELECT ${columns.join(', ')} FROM user_profiles WHERE app_id = ? AND user_uuid = ?`,
      [appId, userUuid],
    );
    return row;
  }
}

/** Whether the hash in the row finds the user token derived from the app's current secret. */
export function isCurrent(
  app: App,
  { user_uuid: uuid, token_version: version, token_hash: hash }: UserProfileRow,
): boolean {
  return hash === hashUserToken(deriveUserToken(app, uuid, version));
}
