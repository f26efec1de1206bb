import { Injectable } from '@nestjs/common';
import { type Attempt, BlocksService, keyOf } from '../blocks/blocks.service.js';
import { Clock } from '../clock/clock.js';
import { Database, type SqlValue, type Transaction } from '../database/database.js';
import { Gatherer } from '../database/gatherer.js';
import { TimeOrderedIds } from '../ids/time-ordered-ids.js';
import { UserChangesService } from '../users/user-changes.service.js';
import type { User } from '../users/user.js';
import { UsersService } from '../users/users.service.js';
import type { InboxMessageRow } from './inbox-message.entity.js';
import { InboxesRepository, type LockedInbox } from './inboxes.repository.js';
import { InboxLimitsRepository } from './inbox-limits.repository.js';
import type { Message, Receipt, Receiver } from './message.js';
import { isUndelivered, storedState } from './stored-state.js';

/** One message for up to `maxReceivers` receivers, and how many messages each of them may keep. */
interface Delivery {
  readonly message: Message;
  readonly receivers: readonly Receiver[];
  readonly maxKept: number;
  /** Nothing is stored for offline receivers. */
  readonly onlineOnly: boolean;
}

interface Acknowledgement {
  readonly userUuid: string;
  readonly id: number;
  readonly maxHistory: number;
}

/** A transaction touches three rows per receiver: an inbox, its new message and the one removed to make room. */
export const maxReceivers = 300;
/** A long body counts as one receiver per this many bytes, which keeps a transaction near a megabyte. */
const bytesPerRow = 3_500;
const rowsPerRun = 300;

const messageColumns = ['app_id', 'id', 'sender', 'chat_type', 'type', 'body', 'ext', 'created_at'];
const inboxMessageColumns = [
  ...['app_id', 'user_uuid', 'seq', 'id', 'message_id'],
  ...['state', 'offline', 'own', 'created_at', 'sender'],
];

const stateOnceDelivered = `CASE offline WHEN 0 THEN ${storedState.history} ELSE ${storedState.delivered} END`;

/** Delivers messages to inboxes, and records that they have reached a device. */
@Injectable()
export class MessageDeliveriesRepository {
  private readonly deliveries: Gatherer<Delivery, readonly Receipt[]>;
  private readonly acknowledgements: Gatherer<Acknowledgement, void>;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly ids: TimeOrderedIds,
    private readonly users: UsersService,
    private readonly blocks: BlocksService,
    private readonly userChanges: UserChangesService,
    private readonly inboxes: InboxesRepository,
    private readonly limits: InboxLimitsRepository,
  ) {
    // One run at a time, so that messages are stored in order of arrival.
    this.deliveries = new Gatherer(
      (appId, deliveries) => this.database.write((transaction) => this.deliver(transaction, appId, deliveries), appId),
      { rows: rowsPerRun, runs: 1 },
      ({ message, receivers }) =>
        receivers.length + Math.floor((message.body.length + (message.ext?.length ?? 0)) / bytesPerRow),
    );
    this.acknowledgements = new Gatherer(
      (appId, items) => this.database.write((transaction) => this.acknowledgeAll(transaction, appId, items), appId),
      { rows: rowsPerRun, runs: 1 },
    );
  }

  /**
   * Puts a message into the inboxes of its receivers and resolves once that is durable.
   * @returns the message id of each receiver; an unknown name or one who has blocked the sender gets one too, but
   *   nothing is stored for it
   */
  insert(appId: string, delivery: Delivery): Promise<readonly Receipt[]> {
    return this.deliveries.add(appId, delivery);
  }

  /** Marks a message as delivered. No effect if it is already delivered, gone or another user's. */
  acknowledge(appId: string, acknowledgement: Acknowledgement): Promise<void> {
    return this.acknowledgements.add(appId, acknowledgement);
  }

  private async deliver(
    transaction: Transaction,
    appId: string,
    deliveries: readonly Delivery[],
  ): Promise<(readonly Receipt[])[]> {
    const usernames = new Set(deliveries.flatMap(usernamesToStoreFor));
    const users = await this.users.lockForUpdate(transaction, appId, [...usernames]);
    const uuids = new Map(users.map(({ username, uuid }) => [username, uuid]));
    const attempts = attemptsToReach(new Map(users.map((user) => [user.username, user])), deliveries);
    const refusals = await this.blocks.refused(transaction, appId, attempts);
    const inboxes = await this.inboxes.lockOrCreate(transaction, appId, [...uuids.values()]);
    const createdAt = this.clock.now();
    const messages: Record<string, SqlValue>[] = [];
    const arrived: Record<string, SqlValue>[] = [];
    const results = deliveries.map(({ message, receivers, onlineOnly }) => {
      const messageId = this.ids.next();
      const arrivedBefore = arrived.length;
      const receipts = receivers.map(({ username, offline }): Receipt => {
        const id = this.ids.next();
        const receiverUuid = uuids.get(username) ?? '';
        const inbox = inboxes.get(receiverUuid);
        if (inbox === undefined) return { id, refused: false };
        if (refusals.size > 0 && refusals.has(keyOf({ receiverUuid, sender: message.sender })))
          return { id, refused: true };
        if (onlineOnly && offline) return { id, refused: false };
        countArrival(inbox, onlineOnly);
        arrived.push({
          ...{ app_id: appId, user_uuid: inbox.user_uuid, seq: inbox.last_seq, id, message_id: messageId },
          ...{ state: onlineOnly ? storedState.live : storedState.undelivered, offline: offline ? 1 : 0 },
          ...{ own: onlineOnly || username === message.sender ? 1 : 0, created_at: createdAt, sender: message.sender },
        });
        return { id, refused: false };
      });
      // The content is stored only if some inbox holds it.
      if (arrived.length > arrivedBefore)
        messages.push({
          ...{ app_id: appId, id: messageId, sender: message.sender, chat_type: message.chatType },
          ...{ type: message.type, body: message.body, ext: message.ext, created_at: createdAt },
        });
      return receipts;
    });
    await transaction.insert('messages', messageColumns, messages);
    await transaction.insert('inbox_messages', inboxMessageColumns, arrived);
    const maxKept = deliveries.at(-1)?.maxKept ?? 0;
    await this.limits.trimKept(transaction, appId, inboxes, maxKept);
    if (deliveries.some(({ onlineOnly }) => onlineOnly))
      await this.limits.trimHistory(transaction, appId, inboxes, maxKept);
    await this.inboxes.save(transaction, inboxes);
    const lastSeqs = [...inboxes].map(([uuid, inbox]): [string, number] => [uuid, inbox.last_seq]);
    await this.userChanges.add(transaction, appId, new Map(lastSeqs));
    return results;
  }

  private async acknowledgeAll(
    transaction: Transaction,
    appId: string,
    items: readonly Acknowledgement[],
  ): Promise<void[]> {
    const { among, forceIndex, forceIndexToChange } = this.database.dialect;
    const uuids = new Set(items.map(({ userUuid }) => userUuid));
    const inboxes = await this.inboxes.lock(transaction, appId, [...uuids]);
    const owners = new Map(items.map(({ id, userUuid }) => [id, userUuid]));
    const wanted = among('id', [...owners.keys()]);
    const found = await transaction.read<Pick<InboxMessageRow, 'user_uuid' | 'id' | 'offline' | 'state'>>(
      `SELECT user_uuid, id, offline, state FROM inbox_messages${forceIndex('inbox_messages_by_id')}` +
        ` WHERE app_id = ? AND ${wanted.sql}`,
      [appId, ...wanted.values],
    );
    const delivered = found.filter(
      ({ user_uuid, id, state }) => isUndelivered(state) && owners.get(id) === user_uuid && inboxes.has(user_uuid),
    );
    for (const { user_uuid, offline, state } of delivered) {
      if (state === storedState.live) continue;
      const inbox = inboxes.get(user_uuid) as LockedInbox;
      inbox.undelivered -= 1;
      if (offline !== 0) continue;
      inbox.kept -= 1;
      inbox.history += 1;
    }
    if (delivered.length > 0) {
      const changed = among(
        'id',
        delivered.map(({ id }) => id),
      );
      await transaction.run(
        `UPDATE inbox_messages${forceIndexToChange('inbox_messages_by_id')} SET state = ${stateOnceDelivered}` +
          ` WHERE app_id = ? AND ${changed.sql}`,
        [appId, ...changed.values],
      );
      await this.limits.trimHistory(transaction, appId, inboxes, items.at(-1)?.maxHistory ?? 0);
      await this.inboxes.save(transaction, inboxes);
    }
    return items.map(() => undefined);
  }
}

/** The deliveries to users who have blocked somebody. */
function attemptsToReach(users: ReadonlyMap<string, User>, deliveries: readonly Delivery[]): Attempt[] {
  if (![...users.values()].some(({ hasBlocks }) => hasBlocks)) return [];
  return deliveries.flatMap(({ message: { sender }, receivers }) =>
    receivers.flatMap(({ username }) => {
      const user = users.get(username);
      return user?.hasBlocks === true ? { receiverUuid: user.uuid, sender } : [];
    }),
  );
}

function usernamesToStoreFor({ receivers, onlineOnly }: Delivery): string[] {
  return receivers.flatMap(({ username, offline }) => (onlineOnly && offline ? [] : username));
}

function countArrival(inbox: LockedInbox, onlineOnly: boolean): void {
  inbox.last_seq += 1;
  if (onlineOnly) inbox.history += 1;
  else {
    inbox.undelivered += 1;
    inbox.kept += 1;
  }
}
