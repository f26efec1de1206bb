import { Injectable } from '@nestjs/common';
import { breathe, CostlyReads } from '../database/costly-reads.js';
import type { User } from '../users/user.js';
import { UsersService } from '../users/users.service.js';
import { InboxesRepository } from './inboxes.repository.js';
import { UnreadMessagesRepository } from './unread-messages.repository.js';

/** A user's unread messages from one sender. */
export interface UnreadConversation {
  /** null: all senders who are not users (any more). */
  readonly sender: User | null;
  readonly unread: number;
}

/** Messages read per statement: about a millisecond on SQLite. */
const messagesAtOnce = 250;
/** Reading more messages than this is a costly read. */
const maxPlainMessages = 500;

/** Counts a user's unread messages by sender. */
@Injectable()
export class UnreadConversations {
  constructor(
    private readonly repository: UnreadMessagesRepository,
    private readonly inboxes: InboxesRepository,
    private readonly users: UsersService,
    private readonly costlyReads: CostlyReads,
  ) {}

  /** Senders in the order of their oldest unread message; messages not sent by a user come last. */
  async of(appId: string, userUuid: string): Promise<UnreadConversation[]> {
    const { last_seq, read_seq, kept, history } = await this.inboxes.find(appId, userUuid);
    const messages = Math.min(last_seq - read_seq, kept + history);
    if (messages === 0) return [];
    const read = async () => this.bySender(appId, await this.timesBySender(appId, userUuid, read_seq));
    return messages > maxPlainMessages ? this.costlyReads.run(appId, read) : read();
  }

  /** When the unread messages from each name arrived. */
  private async timesBySender(appId: string, userUuid: string, readSeq: number): Promise<Map<string, number[]>> {
    const times = new Map<string, number[]>();
    for (let afterSeq: number | undefined = readSeq; afterSeq !== undefined;) {
      const messages = await this.repository.listWithSenders(appId, userUuid, afterSeq, messagesAtOnce);
      for (const { own, sender, created_at: createdAt } of messages) {
        if (own !== 0) continue;
        const name = sender ?? '';
        const known = times.get(name);
        if (known === undefined) times.set(name, [createdAt]);
        else known.push(createdAt);
      }
      afterSeq = messages.length === messagesAtOnce ? messages.at(-1)?.seq : undefined;
      await breathe();
    }
    return times;
  }

  /** Messages are stored with the sender's name: one older than the account is not from its current owner. */
  private async bySender(appId: string, times: ReadonlyMap<string, readonly number[]>): Promise<UnreadConversation[]> {
    const users = await this.users.findAll(appId, [...times.keys()]);
    const byName = new Map(users.map((user) => [user.username, user]));
    const conversations: UnreadConversation[] = [];
    let ofNobody = 0;
    for (const [name, createdAt] of times) {
      const sender = byName.get(name) ?? null;
      const unread = sender === null ? 0 : createdAt.filter((time) => time >= sender.createdAt).length;
      if (unread > 0) conversations.push({ sender, unread });
      ofNobody += createdAt.length - unread;
    }
    return ofNobody > 0 ? [...conversations, { sender: null, unread: ofNobody }] : conversations;
  }
}
