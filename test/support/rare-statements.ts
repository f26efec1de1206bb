import { randomBytes, randomUUID } from 'node:crypto';
import type { App } from '../../src/apps/app.js';
import { AppsRepository } from '../../src/apps/apps.repository.js';
import { AuditLog } from '../../src/audit/audit-log.service.js';
import { AuditSeals } from '../../src/audit/audit-seals.service.js';
import { AuditTrail } from '../../src/audit/audit-trail.service.js';
import { BulkExpiry } from '../../src/bulk-operations/bulk-expiry.js';
import { AppsService } from '../../src/apps/apps.service.js';
import { UsedNoncesRepository } from '../../src/auth/used-nonces.repository.js';
import { Env } from '../../src/config/env.js';
import { Database } from '../../src/database/database.js';
import { GroupsService } from '../../src/groups/groups.service.js';
import { IdempotencyService } from '../../src/idempotency/idempotency.service.js';
import { IdLease } from '../../src/ids/id-lease.js';
import { TimeOrderedIds } from '../../src/ids/time-ordered-ids.js';
import { LastSeenRepository } from '../../src/last-seen/last-seen.repository.js';
import { MessagesService } from '../../src/messages/messages.service.js';
import { InboxLimitsRepository } from '../../src/offline-messages/inbox-limits.repository.js';
import { OfflineMessagesService } from '../../src/offline-messages/offline-messages.service.js';
import { ProfilesService } from '../../src/profiles/profiles.service.js';
import { RemovalsService } from '../../src/removals/removals.service.js';
import { RetentionClock } from '../../src/retention/retention-clock.js';
import { UserNotesService } from '../../src/user-notes/user-notes.service.js';
import { sortFields } from '../../src/user-search/user-query.js';
import { UserSearchService } from '../../src/user-search/user-search.service.js';
import { UserChangesService } from '../../src/users/user-changes.service.js';
import { UserPagesRepository } from '../../src/users/user-pages.repository.js';
import { UserSettingsService } from '../../src/users/user-settings.service.js';
import { banForever } from '../../src/users/ban-terms.js';
import { BansService } from '../../src/users/bans.service.js';
import { DueBansService } from '../../src/users/due-bans.service.js';
import { UserRevocationsService } from '../../src/users/user-revocations.service.js';
import { UsersService } from '../../src/users/users.service.js';
import { UserWritesRepository } from '../../src/users/user-writes.repository.js';
import type { FixedClock } from './fixed-clock.js';
import type { RunningApp } from './start-app.js';
import type { Tenant } from './tenant.js';

const hourMs = 60 * 60 * 1_000;
const dayMs = 24 * 60 * 60 * 1_000;
/** Rows left by a deletion: more than its own transaction and the next one remove. */
const manyRows = 700;
/** More than two strides of a numbered list. */
const manyUsers = 4_600;

/** What no route of a small app sends: each function says what triggers it. */
export async function sendRareStatements(running: RunningApp, tenant: Tenant, clock: FixedClock): Promise<void> {
  const { nest } = running;
  const app = (await nest.get(AppsService).find(tenant.credentials.org, tenant.credentials.name)) as App;
  await nest.get(UserWritesRepository).insert(app.id, someUsers('rare', 4));
  await changeApps(running, app);
  await changeGroups(running, app.id);
  await useProfiles(running, app);
  await evictFromInboxes(running, app.id);
  await sweep(running, app.id);
  await search(running, app.id);
  await letBansBeginAndEnd(running, app.id, clock);
  await deleteManyRows(running, app.id);
  await turnPages(running, app.id);
  await expireEverything(running, app, clock);
  await sealAuditTrail(running, app.id, clock);
  await leaseNodeNumbers(running, clock);
}

function someUsers(name: string, count: number) {
  const names = Array.from({ length: count }, (_none, index) => `${name}${String(index).padStart(4, '0')}`);
  return names.map((username) => ({ username, nickname: null, passwordHash: null }));
}

/** The command line, and rows written by an older version. */
async function changeApps({ nest }: RunningApp, app: App): Promise<void> {
  const apps = nest.get(AppsService);
  await apps.findByAlias('nobodys-alias');
  await apps.findByCertificate(randomBytes(16).toString('hex'));
  await nest
    .get(Database)
    .write((transaction) => transaction.run('UPDATE apps SET certificate_hash = ? WHERE id = ?', ['', app.id]));
  await nest.get(AppsRepository).correctHashes();
  const sealing = { ...nest.get(Env), sealingKeys: [randomBytes(32), null] };
  const sealed = new AppsRepository(nest.get(Database), nest.get(AuditTrail), sealing);
  await sealed.reseal();
  // The running service has no key: undo the sealing.
  const open = { ...sealing, sealingKeys: [null, sealing.sealingKeys[0]] };
  await new AppsRepository(nest.get(Database), nest.get(AuditTrail), open as unknown as Env).reseal();
}

async function changeGroups({ nest }: RunningApp, appId: string): Promise<void> {
  const groups = nest.get(GroupsService);
  const group = { kind: 'group', name: 'rare', description: '', custom: '', maxMembers: 10 } as const;
  const flags = { isPublic: true, membersOnly: false, allowInvites: false };
  const { id } = await groups.create(appId, { ...group, ...flags }, 'rare0000', []);
  await groups.addMembers(appId, 'group', String(id), ['rare0001']);
  await groups.removeMembers(appId, 'group', String(id), ['rare0001']);
  const member = { app_id: appId, group_id: id, kind: 'group', joined_at: 1 };
  const members = Array.from({ length: manyRows }, () => ({ ...member, user_uuid: randomUUID() }));
  await insert(nest.get(Database), 'group_members', members);
  await groups.delete(appId, 'group', String(id));
}

async function useProfiles({ nest }: RunningApp, app: App): Promise<void> {
  const profiles = nest.get(ProfilesService);
  const details = { userId: 'rare0001', avatarUrl: 'https://chat.example/a.png' };
  await profiles.loginByServer(app, details, 'a password');
  await profiles.loginByServer(app, { ...details, extras: { a: 1 } }, 'a password');
}

/** Inboxes that are over their limit, slightly and by far. */
async function evictFromInboxes({ nest }: RunningApp, appId: string): Promise<void> {
  const limits = nest.get(InboxLimitsRepository);
  const inbox = { app_id: appId, user_uuid: randomUUID(), last_seq: 0, read_seq: 0, undelivered: 0, history: 0 };
  for (const kept of [10, 10_000])
    await nest
      .get(Database)
      .write((transaction) => limits.trimKept(transaction, appId, new Map([[inbox.user_uuid, { ...inbox, kept }]]), 2));
}

/** What a node with sessions does every few seconds. */
async function sweep({ nest }: RunningApp, appId: string): Promise<void> {
  const changes = nest.get(UserChangesService);
  await nest.get(UsersService).findAllByUuid(appId, [randomUUID()]);
  await changes.find(appId, await changes.listIds(appId));
}

/** Each order in both directions, more than one page of it, and filters whose indexes compete. */
async function search({ nest }: RunningApp, appId: string): Promise<void> {
  const users = await nest.get(UsersService).findAll(appId, ['rare0000', 'rare0001', 'rare0002', 'rare0003']);
  const seen = users.map(({ uuid, username }) => ({ uuid, username, at: 1 }));
  await nest.get(LastSeenRepository).store(appId, seen);
  for (const { username } of users) await nest.get(UserSettingsService).change(appId, username, { nickname: 'rare' });
  await nest.get(UserNotesService).add(appId, 'rare0002', 'somebody', 'a note');
  const searching = nest.get(UserSearchService);
  for (const by of sortFields)
    for (const descending of [false, true]) {
      const query = { filter: {}, sort: { by, descending } };
      const { cursor } = await searching.find(appId, query, 1, null);
      await searching.find(appId, query, 1, cursor);
    }
  const filter = { username: 'rare', nickname: 'rare', created: { from: 0 }, lastSeen: { from: 0 } };
  await searching.find(appId, { filter, sort: null }, 1, null);
  await searching.find(
    appId,
    { filter: { ...filter, lastSeen: undefined }, sort: { by: 'last_seen', descending: true } },
    1,
    null,
  );
  await searching.find(appId, { filter: { lastSeen: { from: 0 }, state: 'active' }, sort: null }, 1, null);
  await searching.find(appId, { filter: { lastSeen: { from: 0 }, state: 'banned' }, sort: null }, 1, null);
}

/** Bans that begin and end by time, of one user after the other. */
async function letBansBeginAndEnd({ nest }: RunningApp, appId: string, clock: FixedClock): Promise<void> {
  const revocations = nest.get(UserRevocationsService);
  const origin = { by: 'operator', source: 'command_line' } as const;
  const now = clock.now();
  const terms = { ...banForever, startsAt: now + hourMs, endsAt: now + 2 * hourMs };
  await revocations.ban(appId, 'rare0001', terms, origin);
  await revocations.ban(appId, 'rare0000', { ...terms, endsAt: now + 3 * hourMs }, origin);
  for (let hours = 1; hours <= 3; hours += 1) {
    clock.advance(hourMs);
    for (const state of ['active', 'planned'] as const) await nest.get(BansService).list(appId, state, 10, null);
    await nest.get(DueBansService).settleDue();
  }
}

const aBan = { user_id: 1, starts_at: 1, banned_by: 'a', source: 'agora', created_at: 1, outcome: 'lifted' };

/** A user with more rows than the deleting transaction removes. */
async function deleteManyRows({ nest }: RunningApp, appId: string): Promise<void> {
  const users = nest.get(UsersService);
  const { uuid } = await users.get(appId, 'rare0002');
  const line = { app_id: appId, user_uuid: uuid, ...aBan };
  const lines = Array.from({ length: manyRows }, (_none, id) => ({ ...line, id }));
  await insert(nest.get(Database), 'bans', lines);
  // As an earlier version writes it.
  const earlier = { app_id: appId, user_uuid: uuid, activated: 0, at: 1, actor: 'a' };
  await insert(nest.get(Database), 'user_activations', [{ ...earlier, id: 1 }]);
  await users.delete(appId, 'rare0002');
  await nest.get(RemovalsService).finish({ all: true });
}

/** Pages near both ends of a long list, and far from both in either direction. */
async function turnPages({ nest }: RunningApp, appId: string): Promise<void> {
  await nest.get(UserWritesRepository).insert(appId, someUsers('page', manyUsers));
  const pages = nest.get(UserPagesRepository);
  const total = manyUsers;
  for (const descending of [false, true]) {
    for (const by of ['id', 'username'] as const)
      for (const offset of [0, 2_100, 2_450])
        await pages.usernamesAt(appId, [{ by, descending }], { offset, limit: 10, total });
    await pages.usernamesAt(appId, [{ by: 'displayName', descending }], { offset: 0, limit: 10, total });
  }
}

/** Data that expires, and data pruned by a later call. */
async function expireEverything({ nest }: RunningApp, app: App, clock: FixedClock): Promise<void> {
  const { id: appId } = app;
  await nest.get(MessagesService).send(app, { from: 'rare0000', to: ['rare0003'], type: 'txt', body: {} });
  const callWithKey = () =>
    nest.get(IdempotencyService).once({ appId, caller: 'somebody', key: randomUUID(), request: ['a'] }, async () => ({
      status: 200,
      body: '{}',
      operationId: 1,
    }));
  const useNonce = () =>
    nest.get(UsedNoncesRepository).useOnce(appId, randomBytes(20).toString('hex'), clock.now(), clock.now());
  await callWithKey();
  await useNonce();
  clock.advance(8 * dayMs);
  await callWithKey();
  await useNonce();
  if ((await nest.get(OfflineMessagesService).expireDue()) === 0) throw new Error('no message has expired');
  await nest.get(UserChangesService).clearDue();
  clock.advance(31 * dayMs);
  if ((await nest.get(BulkExpiry).run()) === 0) throw new Error('no operation has expired');
  // Its name is released like one deleted a week ago.
  await nest.get(UsersService).delete(appId, 'rare0003');
}

/** Entries by what they have, which are found by that once they are sealed; and those that are too old. */
async function sealAuditTrail({ nest }: RunningApp, appId: string, clock: FixedClock): Promise<void> {
  const seals = nest.get(AuditSeals);
  clock.advance(10 * 60_000);
  if ((await seals.seal(appId)) === 0) throw new Error('nothing was sealed');
  const page = await nest.get(AuditLog).list(appId, { action: 'user.register' }, 10, null);
  if (page.entries.length === 0) throw new Error('no entry was found');
  await nest.get(AuditLog).ofOperation(appId, page.entries[0]?.operation_id as number, 0, 10);
  if ((await seals.verify(appId)).broken.length > 0) throw new Error('the seals are broken');
  clock.advance(2 * dayMs);
  await nest.get(RetentionClock).trust();
  if ((await seals.prune(appId, 1)) === 0) throw new Error('nothing was pruned');
}

/** From a process that outlives the reservation of its number, and from the next one. */
async function leaseNodeNumbers({ nest }: RunningApp, clock: FixedClock): Promise<void> {
  for (let process = 0; process < 2; process += 1) {
    const lease = new IdLease(nest.get(Database), clock, new TimeOrderedIds(clock));
    await lease.beat();
    clock.advance(30_000);
    await lease.beat();
    await lease.release();
  }
}

async function insert(database: Database, table: string, rows: readonly Record<string, string | number | null>[]) {
  await database.write((transaction) => transaction.insert(table, Object.keys(rows[0] as object), rows));
}
