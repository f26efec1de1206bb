import type { DataSourceOptions } from 'typeorm';
import type { Env } from './config/env.js';
import { connectionOptions } from './database/connection-options.js';
import { AppRow } from './apps/app.entity.js';
import { AuditEntryRow } from './audit/audit-entry.entity.js';
import { AuditSealRow } from './audit/audit-seal.entity.js';
import { AuditTermRow } from './audit/audit-term.entity.js';
import { BulkItemRow } from './bulk-operations/bulk-item.entity.js';
import { BulkOperationRow } from './bulk-operations/bulk-operation.entity.js';
import { UserBlockRow } from './blocks/user-block.entity.js';
import { ContactListRow } from './contacts/contact-list.entity.js';
import { ContactRow } from './contacts/contact.entity.js';
import { RetentionClockRow } from './retention/retention-clock.entity.js';
import { ChatGroupRow } from './groups/chat-group.entity.js';
import { GroupListEntryRow } from './groups/group-list-entry.entity.js';
import { GroupMemberRow } from './groups/group-member.entity.js';
import { IdempotentAnswerRow } from './idempotency/idempotent-answer.entity.js';
import { IdNodeRow } from './ids/id-node.entity.js';
import { InboxMessageRow } from './offline-messages/inbox-message.entity.js';
import { InboxRow } from './offline-messages/inbox.entity.js';
import { MessageRow } from './offline-messages/message.entity.js';
import { UsedNonceRow } from './auth/used-nonce.entity.js';
import { PresenceStateRow } from './presence-subscriptions/presence-state.entity.js';
import { PresenceSubscriptionRow } from './presence-subscriptions/presence-subscription.entity.js';
import { RemovalRow } from './removals/removal.entity.js';
import { AttributeUsageRow } from './user-attributes/attribute-usage.entity.js';
import { UserAttributesRow } from './user-attributes/user-attributes.entity.js';
import { UserMuteRow } from './mutes/user-mute.entity.js';
import { UserProfileRow } from './profiles/user-profile.entity.js';
import { BanRow } from './users/ban.entity.js';
import { NextBanEdgeRow } from './users/next-ban-edge.entity.js';
import { ReleasedNameRow } from './users/released-name.entity.js';
import { UserActivationRow } from './users/user-activation.entity.js';
import { UserChangeRow } from './users/user-change.entity.js';
import { UserCountRow } from './users/user-count.entity.js';
import { UserRow } from './users/user.entity.js';
import { AppsAndUsers1763900000000 } from './database/migrations/1763900000000-apps-and-users.js';
import { MessagesAndGroups1763900100000 } from './database/migrations/1763900100000-messages-and-groups.js';
import { Profiles1763900200000 } from './database/migrations/1763900200000-profiles.js';
import { IdempotentAnswers1763900300000 } from './database/migrations/1763900300000-idempotent-answers.js';
import { UserChanges1763900500000 } from './database/migrations/1763900500000-user-changes.js';
import { IdNodes1764100000000 } from './database/migrations/1764100000000-id-nodes.js';
import { CertificateHashes1764100100000 } from './database/migrations/1764100100000-certificate-hashes.js';
import { RoomForSealedSecrets1764200000000 } from './database/migrations/1764200000000-room-for-sealed-secrets.js';
import { ReleasedNames1764200010000 } from './database/migrations/1764200010000-released-names.js';
import { Removals1764200020000 } from './database/migrations/1764200020000-removals.js';
import { RetentionClock1764200100000 } from './database/migrations/1764200100000-retention-clock.js';
import { InboxSenders1764230000000 } from './database/migrations/1764230000000-inbox-senders.js';
import { ClientCredentials1764360000000 } from './database/migrations/1764360000000-client-credentials.js';
import { Contacts1764300000000 } from './database/migrations/1764300000000-contacts.js';
import { Blocks1764300100000 } from './database/migrations/1764300100000-blocks.js';
import { UserAttributes1764320000000 } from './database/migrations/1764320000000-user-attributes.js';
import { PresenceSubscriptions1764330000000 } from './database/migrations/1764330000000-presence-subscriptions.js';
import { UserMutes1764340000000 } from './database/migrations/1764340000000-user-mutes.js';
import { UserLastSeenRow } from './last-seen/user-last-seen.entity.js';
import { UserNoteRow } from './user-notes/user-note.entity.js';
import { UserSearch1764402000000 } from './database/migrations/1764402000000-user-search.js';
import { PushSettings1764341000000 } from './database/migrations/1764341000000-push-settings.js';
import { Bans1764400000000 } from './database/migrations/1764400000000-bans.js';
import { GroupLists1764310000000 } from './database/migrations/1764310000000-group-lists.js';
import { AuditTrail1764401000000 } from './database/migrations/1764401000000-audit-trail.js';
import { BulkOperations1764403000000 } from './database/migrations/1764403000000-bulk-operations.js';

/** Every entity. */
const entities = [
  AppRow,
  UserRow,
  UserActivationRow,
  BanRow,
  NextBanEdgeRow,
  UserCountRow,
  UserProfileRow,
  UserAttributesRow,
  AttributeUsageRow,
  PresenceStateRow,
  PresenceSubscriptionRow,
  UsedNonceRow,
  IdempotentAnswerRow,
  MessageRow,
  InboxRow,
  InboxMessageRow,
  ChatGroupRow,
  GroupMemberRow,
  GroupListEntryRow,
  IdNodeRow,
  UserChangeRow,
  ReleasedNameRow,
  RemovalRow,
  RetentionClockRow,
  UserBlockRow,
  ContactListRow,
  ContactRow,
  UserMuteRow,
  UserLastSeenRow,
  UserNoteRow,
  BulkOperationRow,
  BulkItemRow,
  AuditEntryRow,
  AuditSealRow,
  AuditTermRow,
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
  ClientCredentials1764360000000,
  Contacts1764300000000,
  Blocks1764300100000,
  UserAttributes1764320000000,
  PresenceSubscriptions1764330000000,
  UserMutes1764340000000,
  PushSettings1764341000000,
  GroupLists1764310000000,
  Bans1764400000000,
  AuditTrail1764401000000,
  UserSearch1764402000000,
  BulkOperations1764403000000,
];

/** Where the data is, and its schema. */
export function dataSourceOptions(env: Env): DataSourceOptions {
  return { ...connectionOptions(env), entities, migrations };
}
