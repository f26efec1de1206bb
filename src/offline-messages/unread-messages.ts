import { Injectable } from '@nestjs/common';
import { breathe, CostlyReads, slicesOf } from '../database/costly-reads.js';
import { type Inbox, InboxesRepository } from './inboxes.repository.js';
import type { CreationWindow } from './message.js';
import { UnreadMessagesRepository } from './unread-messages.repository.js';

export interface UnreadCount {
  readonly userUuid: string;
  readonly unread: number;
}

/** The most messages a user can have unread: as many rows are read to count them. */
interface UnreadBound {
  readonly userUuid: string;
  readonly readSeq: number;
  readonly messages: number;
}

/** Inboxes read per statement. */
const inboxesAtOnce = 100;
/** Messages counted per statement: a fraction of a millisecond on SQLite. */
const messagesAtOnce = 500;
/** Counting more messages than this is a costly read. */
const maxPlainMessages = 500;
/** The limit on pages of users with unread messages: later pages are empty. */
export const maxPagedUsers = 100_000;

/** Counts users' unread messages: each has to be read, because its time and sender matter. */
@Injectable()
export class UnreadMessages {
  constructor(
    private readonly repository: UnreadMessagesRepository,
    private readonly inboxes: InboxesRepository,
    private readonly costlyReads: CostlyReads,
  ) {}

  /** Marks everything up to `seq` as read. The mark never moves back. */
  markRead(appId: string, userUuid: string, seq: number): Promise<void> {
    return this.repository.markRead(appId, userUuid, seq);
  }

  /** How many messages of the window each user has not read, in the order of the request. Own messages never count. */
  async counts(appId: string, userUuids: readonly string[], window: CreationWindow): Promise<UnreadCount[]> {
    const bounds: UnreadBound[] = [];
    for await (const some of slicesOf(userUuids, inboxesAtOnce)) {
      const inboxes = await this.inboxes.findAll(appId, some);
      bounds.push(...some.map((uuid, index) => toUnreadBound(uuid, inboxes[index] as Inbox)));
    }
    const messages = bounds.reduce((sum, bound) => sum + bound.messages, 0);
    const count = (): Promise<Map<string, number>> => this.count(appId, bounds, window);
    const unread = await (messages > maxPlainMessages ? this.costlyReads.run(appId, count) : count());
    return userUuids.map((userUuid) => ({ userUuid, unread: unread.get(userUuid) ?? 0 }));
  }

  /**
   * A page of the users with unread messages in the window, by uuid. Pages beyond 100,000 users are empty and cost
   * nothing.
   * @param page 1 for the first
   */
  async users(appId: string, page: number, limit: number, window: CreationWindow): Promise<string[]> {
    if (page * limit > maxPagedUsers) return [];
    return this.costlyReads.run(appId, async () => {
      const found: string[] = [];
      for (let afterUuid: string | undefined = ''; afterUuid !== undefined && found.length < page * limit;) {
        const inboxes = await this.inboxes.listNotReadToEnd(appId, afterUuid, inboxesAtOnce);
        const bounds: UnreadBound[] = inboxes.map((inbox) => toUnreadBound(inbox.user_uuid, inbox));
        const unread = await this.count(appId, bounds, window);
        found.push(...bounds.flatMap(({ userUuid }) => (unread.has(userUuid) ? userUuid : [])));
        afterUuid = bounds.length === inboxesAtOnce ? bounds.at(-1)?.userUuid : undefined;
      }
      return found.slice((page - 1) * limit, page * limit);
    });
  }

  /** Users with nothing unread are left out. */
  private async count(
    appId: string,
    bounds: readonly UnreadBound[],
    window: CreationWindow,
  ): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const part of inParts(bounds.filter(({ messages }) => messages > 0))) {
      await breathe();
      const [first] = part;
      if (first !== undefined && first.messages > messagesAtOnce) {
        const unread = await this.countInParts(appId, first, window);
        if (unread > 0) counts.set(first.userUuid, unread);
        continue;
      }
      const uuids = part.map(({ userUuid }) => userUuid);
      for (const [uuid, unread] of await this.repository.count(appId, uuids, window)) counts.set(uuid, unread);
    }
    return counts;
  }

  /** For one inbox with more messages than one statement may read. */
  private async countInParts(appId: string, inbox: UnreadBound, { fromMs, untilMs }: CreationWindow): Promise<number> {
    let unread = 0;
    for (let afterSeq: number | undefined = inbox.readSeq; afterSeq !== undefined;) {
      const messages = await this.repository.list(appId, inbox.userUuid, afterSeq, messagesAtOnce);
      for (const { own, created_at } of messages)
        if (own === 0 && created_at >= (fromMs ?? 0) && created_at < (untilMs ?? Infinity)) unread += 1;
      afterSeq = messages.length === messagesAtOnce ? messages.at(-1)?.seq : undefined;
      await breathe();
    }
    return unread;
  }
}

function toUnreadBound(userUuid: string, { last_seq, read_seq, kept, history }: Inbox): UnreadBound {
  return { userUuid, readSeq: read_seq, messages: Math.min(last_seq - read_seq, kept + history) };
}

/** Parts with as many messages as one statement may read; a larger inbox is a part by itself. */
function inParts(bounds: readonly UnreadBound[]): UnreadBound[][] {
  const parts: UnreadBound[][] = [];
  let room = 0;
  for (const bound of bounds) {
    const part = parts.at(-1);
    if (part !== undefined && bound.messages <= room) part.push(bound);
    else parts.push([bound]);
    room = (part !== undefined && bound.messages <= room ? room : messagesAtOnce) - bound.messages;
  }
  return parts;
}
