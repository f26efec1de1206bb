import type BetterSqlite3 from 'better-sqlite3';
import type { SslOptions } from 'mysql2';
import type { DataSourceOptions } from 'typeorm';
import type { Env } from '../config/env.js';
import { parseMysqlAddress, type TlsMode } from '../config/mysql-address.js';
import { AppRow } from '../apps/app.entity.js';
import { RetentionClockRow } from '../clock/retention-clock.entity.js';
import { ChatGroupRow } from '../groups/chat-group.entity.js';
import { GroupMemberRow } from '../groups/group-member.entity.js';
import { IdempotentAnswerRow } from '../idempotency/idempotent-answer.entity.js';
import { IdNodeRow } from '../ids/id-node.entity.js';
import { InboxMessageRow } from '../offline-messages/inbox-message.entity.js';
import { InboxRow } from '../offline-messages/inbox.entity.js';
import { MessageRow } from '../offline-messages/message.entity.js';
import { UsedNonceRow } from '../auth/used-nonce.entity.js';
import { RemovalRow } from '../removals/removal.entity.js';
import { UserProfileRow } from '../profiles/user-profile.entity.js';
import { ReleasedNameRow } from '../users/released-name.entity.js';
import { UserActivationRow } from '../users/user-activation.entity.js';
import { UserChangeRow } from '../users/user-change.entity.js';
import { UserCountRow } from '../users/user-count.entity.js';
import { UserRow } from '../users/user.entity.js';
import { AppsAndUsers1763900000000 } from './migrations/1763900000000-apps-and-users.js';
import { MessagesAndGroups1763900100000 } from './migrations/1763900100000-messages-and-groups.js';
import { Profiles1763900200000 } from './migrations/1763900200000-profiles.js';
import { IdempotentAnswers1763900300000 } from './migrations/1763900300000-idempotent-answers.js';
import { UserChanges1763900500000 } from './migrations/1763900500000-user-changes.js';
import { IdNodes1764100000000 } from './migrations/1764100000000-id-nodes.js';
import { CertificateHashes1764100100000 } from './migrations/1764100100000-certificate-hashes.js';
import { RoomForSealedSecrets1764200000000 } from './migrations/1764200000000-room-for-sealed-secrets.js';
import { ReleasedNames1764200010000 } from './migrations/1764200010000-released-names.js';
import { Removals1764200020000 } from './migrations/1764200020000-removals.js';
import { RetentionClock1764200100000 } from './migrations/1764200100000-retention-clock.js';
import { InboxSenders1764230000000 } from './migrations/1764230000000-inbox-senders.js';

const entities = [
  AppRow,
  UserRow,
  UserActivationRow,
  UserCountRow,
  UserProfileRow,
  UsedNonceRow,
  IdempotentAnswerRow,
  MessageRow,
  InboxRow,
  InboxMessageRow,
  ChatGroupRow,
  GroupMemberRow,
  IdNodeRow,
  UserChangeRow,
  ReleasedNameRow,
  RemovalRow,
  RetentionClockRow,
];
/** In order; the list is the same on every engine. */
export const migrations = [
  AppsAndUsers1763900000000,
  MessagesAndGroups1763900100000,
  Profiles1763900200000,
  IdempotentAnswers1763900300000,
  UserChanges1763900500000,
  IdNodes1764100000000,
  CertificateHashes1764100100000,
  RoomForSealedSecrets1764200000000,
  ReleasedNames1764200010000,
  Removals1764200020000,
  RetentionClock1764200100000,
  InboxSenders1764230000000,
];

const connectTimeoutMs = 1000;

export function dataSourceOptions(env: Env): DataSourceOptions {
  const shared = { entities, migrations, migrationsTableName: 'migrations', synchronize: false, logging: false };
  if (env.databaseUrl.startsWith('sqlite:')) {
    return {
      ...shared,
      type: 'better-sqlite3',
      database: env.databaseUrl.slice('sqlite:'.length),
      prepareDatabase: (connection: unknown) => prepareSqlite(connection as BetterSqlite3.Database),
    };
  }
  const address = parseMysqlAddress(env.databaseUrl);
  return {
    ...shared,
    type: 'mysql',
    host: address.host,
    port: address.port,
    username: address.user,
    password: address.password,
    database: address.database,
    ssl: tlsOptions(address.tlsMode ?? 'DISABLED', env.databaseCa),
    charset: 'utf8mb4',
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: false,
    connectTimeout: connectTimeoutMs,
    poolSize: env.databasePoolSize,
    extra: { enableKeepAlive: true, maxIdle: env.databasePoolSize, idleTimeout: 60_000, multipleStatements: false },
  };
}

/** A server that has no TLS is refused by the driver wherever TLS is asked for. */
function tlsOptions(mode: TlsMode, ca: string | null): SslOptions | undefined {
  if (mode === 'DISABLED') return undefined;
  return {
    rejectUnauthorized: mode !== 'REQUIRED',
    verifyIdentity: mode === 'VERIFY_IDENTITY',
    ...(ca === null ? {} : { ca }),
  };
}

function prepareSqlite(connection: BetterSqlite3.Database): void {
  connection.pragma('journal_mode = WAL');
  // WAL alone syncs at checkpoints only: a power cut would take back writes that were acknowledged.
  connection.pragma('synchronous = FULL');
}
