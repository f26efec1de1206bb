import { ApiProperty } from '@nestjs/swagger';
import type { UnreadCount } from '../../offline-messages/offline-messages.service.js';
import type { ProfiledUser } from '../../profiles/profile.js';

const secondMs = 1000;

/** How many messages a user has not read. */
export class QiscusUserUnreadCount {
  @ApiProperty({ type: 'integer' })
  unread_count!: number;

  @ApiProperty()
  user_id!: string;
}

/** Both ends belong to the window, the last second as a whole. */
export function toCreationWindow({ start_time, end_time }: { start_time?: number; end_time?: number }) {
  return { fromMs: start_time ?? null, untilMs: end_time === undefined ? null : end_time + secondMs };
}

/** @param counts of the users, in their order */
export function toQiscusUnreadCounts(
  users: readonly ProfiledUser[],
  counts: readonly UnreadCount[],
): QiscusUserUnreadCount[] {
  return users.map(({ profile }, index) => ({ unread_count: counts[index]?.unread ?? 0, user_id: profile.userId }));
}
