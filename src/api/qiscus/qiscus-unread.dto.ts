import { ApiProperty } from '@nestjs/swagger';
import type { UnreadConversation, UnreadCount } from '../../offline-messages/offline-messages.service.js';
import type { ProfiledUser } from '../../profiles/profile.js';
import { foldUsername } from '../../users/username.js';
import type { RoomUnreadCountsParameters } from './qiscus-parameters.dto.js';

const secondMs = 1000;

/** How many unread messages a user has. */
export class QiscusUserUnreadCount {
  @ApiProperty({ type: 'integer' })
  unread_count!: number;

  @ApiProperty()
  user_id!: string;
}

/** How many messages from one sender a user has not read: to the vendor, the two form a room. */
export class QiscusRoomUnreadCount {
  @ApiProperty({ description: 'The `id` of the sender as in `get_user_list`; 0: messages that no user sent' })
  room_id!: string;

  @ApiProperty({ type: 'integer' })
  unread_count!: number;
}

/** Both ends are inclusive, the last second in full. */
export function toCreationWindow({ start_time, end_time }: { start_time?: number; end_time?: number }) {
  return { fromMs: start_time ?? null, untilMs: end_time === undefined ? null : end_time + secondMs };
}

/** @param counts one per user, in the same order */
export function toQiscusUnreadCounts(
  users: readonly ProfiledUser[],
  counts: readonly UnreadCount[],
): QiscusUserUnreadCount[] {
  return users.map(({ profile }, index) => ({ unread_count: counts[index]?.unread ?? 0, user_id: profile.userId }));
}

/** Limited to the named rooms, if any were named. */
export function toQiscusRoomUnreadCounts(
  conversations: readonly UnreadConversation[],
  { room_ids: ids, room_channel_ids: senders }: RoomUnreadCountsParameters,
): QiscusRoomUnreadCount[] {
  const names = new Set(senders?.map(foldUsername));
  return conversations
    .map(({ sender, unread }) => ({ room_id: String(sender?.id ?? 0), unread, name: sender?.username ?? '' }))
    .filter(({ room_id, name }) => (ids ?? senders) === undefined || ids?.includes(room_id) === true || names.has(name))
    .map(({ room_id, unread }) => ({ room_id, unread_count: unread }));
}
