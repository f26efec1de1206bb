import type { SqlRow } from '../database/database.js';
import { banStateAt, epochUnder, readBan, writeBan } from './ban-state.js';
import type { User } from './user.js';
import type { UserRow } from './user.entity.js';

export const userColumns = [
  'app_id',
  'username',
  'uuid',
  'id',
  'nickname',
  'activated',
  'created_at',
  'modified_at',
  'password_hash',
  'token_epoch',
  'has_blocks',
  'push_settings',
  'ban_starts_at',
  'ban_ends_at',
] as const;

/** The user at this moment: time alone begins and ends bans. */
export function toUser(row: UserRow, nowMs: number): User {
  const ban = readBan(row);
  return {
    appId: row.app_id,
    username: row.username,
    uuid: row.uuid,
    id: row.id,
    nickname: row.nickname,
    activated: banStateAt(ban, nowMs) !== 'active',
    ban,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    passwordHash: row.password_hash,
    tokenEpoch: epochUnder(ban, row.token_epoch, nowMs),
    hasBlocks: row.has_blocks !== 0,
    pushSettings: row.push_settings,
  };
}

export function toUserRow(user: User): SqlRow {
  return {
    app_id: user.appId,
    username: user.username,
    uuid: user.uuid,
    id: user.id,
    nickname: user.nickname,
    created_at: user.createdAt,
    modified_at: user.modifiedAt,
    password_hash: user.passwordHash,
    token_epoch: user.tokenEpoch,
    has_blocks: user.hasBlocks ? 1 : 0,
    push_settings: user.pushSettings,
    ...writeBan(user.ban),
  };
}
