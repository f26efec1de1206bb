import { Injectable } from '@nestjs/common';
import type { App } from '../apps/app.js';
import { afterCommit } from '../database/unit-of-work.js';
import { isJsonObject, isNothing } from '../decoding/strict-json.js';
import { AppError } from '../errors/app-error.js';
import { writeMessageId } from '../offline-messages/message-id.js';
import { OfflineMessagesService, type Receipt } from '../offline-messages/offline-messages.service.js';
import { PresenceService, maxStatusUsers } from '../presence/presence.service.js';
import { RateLimits } from '../rate-limit/rate-limits.service.js';
import { foldUsername, usernameKey } from '../users/username.js';
import { type MessageType, messageTypes } from './message-types.js';

export interface OutgoingMessage {
  /** A name in any case; it need not belong to a user. */
  readonly from: string;
  /** Names in any case. */
  readonly to: readonly string[];
  readonly type: string;
  /** A JSON value. */
  readonly body: unknown;
  /** A JSON value; none if undefined or empty: null, `""`, `[]`. */
  readonly ext?: unknown;
  /** Only for online receivers; nothing is stored for the others. */
  readonly onlineOnly?: boolean;
}

export const maxReceivers = 600;
/** Body and ext together, as JSON. */
export const maxMessageBytes = 16 * 1024;

/** Owns the acceptance of messages: checks them, stores them for each receiver, and wakes receivers who are online. */
@Injectable()
export class MessagesService {
  constructor(
    private readonly offlineMessages: OfflineMessagesService,
    private readonly presence: PresenceService,
    private readonly limits: RateLimits,
  ) {}

  /**
   * Sends a one-to-one message to each receiver and resolves once it is durable for all of them. Receivers are not
   * checked: an unknown name or a receiver who has blocked the sender gets an id, but nothing is stored.
   * @returns the message id of each receiver, by the name as the caller wrote it
   * @throws AppError argument_invalid, batch_too_large, username_illegal (of the sender), message_too_large,
   *   rate_limited (the app), database_unavailable
   */
  async send(app: App, outgoing: OutgoingMessage): Promise<Map<string, string>> {
    const receipts = await this.accept(app, outgoing);
    return new Map(outgoing.to.map((name) => [name, writeMessageId((receipts.get(foldUsername(name)) as Receipt).id)]));
  }

  /**
   * As `send` for one receiver, on behalf of a user: a sender blocked by the receiver is told so.
   * @returns the message id
   * @throws AppError sender_blocked, and as `send`
   */
  async sendToOne(app: App, outgoing: Omit<OutgoingMessage, 'to'> & { readonly to: string }): Promise<string> {
    const receipts = await this.accept(app, { ...outgoing, to: [outgoing.to] });
    const { id, refused } = receipts.get(foldUsername(outgoing.to)) as Receipt;
    if (refused) throw new AppError('sender_blocked');
    return writeMessageId(id);
  }

  /** @returns each receiver's receipt, by folded name */
  private async accept(app: App, outgoing: OutgoingMessage): Promise<ReadonlyMap<string, Receipt>> {
    const message = checkMessage(outgoing);
    const usernames = [...new Set(outgoing.to.map(foldUsername))];
    await this.limits.admitMessage(app, usernames.length, message.body.length + (message.ext?.length ?? 0));
    const online = await this.online(app, usernames);
    const receivers = usernames.map((username, index) => ({ username, offline: online[index] !== true }));
    const receipts = await this.offlineMessages.store(app, message, receivers, outgoing.onlineOnly);
    // Also users who seemed offline: they may have connected meanwhile. The session's next poll makes up for a lost
    // wake-up.
    afterCommit(() => this.presence.wake(app.id, usernames));
    return new Map(usernames.map((username, index) => [username, receipts[index] as Receipt]));
  }

  private async online(app: App, usernames: readonly string[]): Promise<boolean[]> {
    const parts: Promise<boolean[]>[] = [];
    for (let start = 0; start < usernames.length; start += maxStatusUsers)
      parts.push(this.presence.online(app.id, usernames.slice(start, start + maxStatusUsers)));
    return (await Promise.all(parts)).flat();
  }
}

function checkMessage({ from, to, type, body, ext }: OutgoingMessage) {
  const sender = usernameKey(from);
  if (sender === null) throw new AppError('username_illegal', { detail: from });
  if (to.length === 0) throw new AppError('argument_invalid', { detail: 'a message must name at least one receiver' });
  if (to.length > maxReceivers) throw new AppError('batch_too_large', { count: to.length, limit: maxReceivers });
  if (!isMessageType(type))
    throw new AppError('argument_invalid', { detail: `type must be one of ${messageTypes.join(', ')}` });
  if (!isJsonObject(body)) throw new AppError('argument_invalid', { detail: 'body must be a JSON object' });
  const text = JSON.stringify(body);
  const extText = ext === undefined || isNothing(ext) ? null : JSON.stringify(ext);
  if (Buffer.byteLength(text) + Buffer.byteLength(extText ?? '') > maxMessageBytes)
    throw new AppError('message_too_large', { limit: maxMessageBytes });
  return { sender, chatType: 'chat', type, body: text, ext: extText } as const;
}

function isMessageType(type: string): type is MessageType {
  return (messageTypes as readonly string[]).includes(type);
}
