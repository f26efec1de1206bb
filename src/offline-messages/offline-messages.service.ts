import { Injectable } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { AppsService } from '../apps/apps.service.js';
import { RetentionClock } from '../retention/retention-clock.js';
import { firstIdAt } from '../ids/time-ordered-ids.js';
import { InboxesRepository } from './inboxes.repository.js';
import { InboxMessagesRepository } from './inbox-messages.repository.js';
import type { CreationWindow, InboxMessage, Message, Receipt, Receiver } from './message.js';
import { MessageDeliveriesRepository, maxReceivers } from './message-deliveries.repository.js';
import { MessageExpiryRepository } from './message-expiry.repository.js';
import { readMessageId } from './message-id.js';
import { isUndelivered } from './stored-state.js';
import { type UnreadConversation, UnreadConversations } from './unread-conversations.js';
import { type UnreadCount, UnreadMessages } from './unread-messages.js';

export type { UnreadConversation } from './unread-conversations.js';
export type { InboxMessage, Receipt } from './message.js';
export type { UnreadCount } from './unread-messages.js';

export type DeliveryState = 'delivered' | 'undelivered';

/** Where a session that begins now starts in its user's inbox. */
export interface InboxPosition {
  /** How many undelivered messages are waiting to be pulled. */
  readonly waiting: number;
  /** The newest message so far. Later ones are live: every session gets them, delivered or not. */
  readonly lastSeq: number;
}

const dayMs = 24 * 3600 * 1000;
const rowsPerSweep = 300;

/** Owns users' offline messages: each user's queue, its counts and delivery states, expiry, and what is unread. */
@Injectable()
export class OfflineMessagesService {
  constructor(
    private readonly deliveries: MessageDeliveriesRepository,
    private readonly inboxes: InboxesRepository,
    private readonly messages: InboxMessagesRepository,
    private readonly unread: UnreadMessages,
    private readonly conversations: UnreadConversations,
    private readonly expiry: MessageExpiryRepository,
    private readonly apps: AppsService,
    private readonly retention: RetentionClock,
  ) {}

  /**
   * Puts a message into the queue of each receiver and resolves once that is durable. A list of up to 300 receivers is
   * stored atomically; a longer one in parts, in order.
   * @param onlineOnly stores it only for online receivers and their open sessions: it never becomes an offline message,
   *   even if they go offline meanwhile
   * @returns an id for each receiver, in their order; if nothing is stored for a receiver, its id refers to nothing
   * @throws AppError database_unavailable, after which some receivers may have it: sending again duplicates it for them
   */
  async store(app: App, message: Message, receivers: readonly Receiver[], onlineOnly = false): Promise<Receipt[]> {
    const maxKept = app.settings.offline_messages_per_user;
    const parts: Promise<readonly Receipt[]>[] = [];
    for (let start = 0; start < receivers.length; start += maxReceivers)
      parts.push(
        this.deliveries.insert(app.id, {
          message,
          receivers: receivers.slice(start, start + maxReceivers),
          maxKept,
          onlineOnly,
        }),
      );
    return (await Promise.all(parts)).flat();
  }

  /** How many offline messages the user has, in any state or in one. */
  async count(appId: string, userUuid: string, state: DeliveryState | null): Promise<number> {
    const { kept, undelivered } = await this.inboxes.find(appId, userUuid);
    if (state === null) return kept;
    return state === 'undelivered' ? undelivered : kept - undelivered;
  }

  /** How many offline messages each of up to 500 users has, in their order. */
  async countAll(appId: string, userUuids: readonly string[]): Promise<number[]> {
    return (await this.inboxes.findAll(appId, userUuids)).map(({ kept }) => kept);
  }

  /** The delivery state of a message, or null if the user has no message with this id (any more). */
  async stateOf(appId: string, userUuid: string, messageId: string): Promise<DeliveryState | null> {
    const message = await this.find(appId, userUuid, messageId);
    if (message === null) return null;
    return isUndelivered(message.state) ? 'undelivered' : 'delivered';
  }

  /** Call it once the session can be woken: whatever is stored later comes after `lastSeq`. */
  async open(appId: string, userUuid: string): Promise<InboxPosition> {
    const { undelivered, last_seq } = await this.inboxes.find(appId, userUuid);
    return { waiting: undelivered, lastSeq: last_seq };
  }

  /**
   * Up to `limit` messages after `afterSeq`, in order: all that are live for the session, and earlier ones only if no
   * device has acknowledged them. A message becomes visible only after those before it, so none can be missed.
   * @param openedAtSeq the `lastSeq` the session began with
   */
  pull(
    appId: string,
    userUuid: string,
    afterSeq: number,
    openedAtSeq: number,
    limit: number,
  ): Promise<readonly InboxMessage[]> {
    return this.messages.listAfter(appId, userUuid, afterSeq, openedAtSeq, limit);
  }

  /** A device of the user has it. The first acknowledgement counts for all devices; later ones change nothing. */
  async acknowledge(app: App, userUuid: string, messageId: string): Promise<void> {
    const id = readMessageId(messageId);
    const maxHistory = app.settings.offline_messages_per_user;
    if (id !== null) await this.deliveries.acknowledge(app.id, { userUuid, id, maxHistory });
  }

  /** Marks everything up to this message as read. An id that is not the user's changes nothing. */
  async markRead(appId: string, userUuid: string, messageId: string): Promise<void> {
    const message = await this.find(appId, userUuid, messageId);
    if (message !== null) await this.unread.markRead(appId, userUuid, message.seq);
  }

  /** How many messages of the window each user has not read, in the order of the request. Own messages never count. */
  unreadCounts(appId: string, userUuids: readonly string[], window: CreationWindow): Promise<UnreadCount[]> {
    return this.unread.counts(appId, userUuids, window);
  }

  /** How many messages of each sender the user has not read. Senders with none are left out. */
  unreadConversations(appId: string, userUuid: string): Promise<UnreadConversation[]> {
    return this.conversations.of(appId, userUuid);
  }

  /**
   * A page of the users with unread messages in the window, by uuid, which is stable while messages come and go.
   * @param page 1 for the first
   */
  usersWithUnread(appId: string, page: number, limit: number, window: CreationWindow): Promise<string[]> {
    return this.unread.users(appId, page, limit, window);
  }

  /**
   * Removes what is certainly older than its app's retention, in small transactions that any number of nodes may run at
   * once.
   * @returns how many inbox messages were found due
   */
  async expireDue(mayGoOn: () => boolean = () => true): Promise<number> {
    let expired = 0;
    for (const { id: appId, settings } of await this.apps.list()) {
      const beforeId = firstIdAt(this.retention.dueBefore(settings.offline_retention_days * dayMs));
      for (let found = rowsPerSweep; found === rowsPerSweep && mayGoOn(); expired += found)
        found = await this.expiry.deleteBefore(appId, beforeId, rowsPerSweep);
      for (let fromId: number | null = 0; fromId !== null && mayGoOn();) {
        const lastId: number | null = await this.expiry.deleteUnheld(appId, fromId, beforeId, rowsPerSweep);
        fromId = lastId === null ? null : lastId + 1;
      }
    }
    return expired;
  }

  private async find(appId: string, userUuid: string, messageId: string) {
    const id = readMessageId(messageId);
    return id === null ? null : this.messages.find(appId, userUuid, id);
  }
}
