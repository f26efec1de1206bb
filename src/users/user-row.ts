import type { SqlRow } from '../database/database.js';
import { nicknameKey } from './nickname-key.js';
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
] as const;

/** What is written for a user: also what is only searched. */
export const storedColumns = [...userColumns, 'nickname_key'] as const;

export function toUser(row: UserRow): User {
  return {
    appId: row.app_id,
    username: row.username,
    uuid: row.uuid,
    id: row.id,
    nickname: row.nickname,
    activated: row.activated !== 0,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    passwordHash: row.password_hash,
    tokenEpoch: row.token_epoch,
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
    nickname_key: nicknameKey(user.nickname),
    activated: user.activated ? 1 : 0,
    created_at: user.createdAt,
    modified_at: user.modifiedAt,
    password_hash: user.passwordHash,
    token_epoch: user.tokenEpoch,
    has_blocks: user.hasBlocks ? 1 : 0,
    push_settings: user.pushSettings,
  };
}
