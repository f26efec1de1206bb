import type { QiscusExample } from './qiscus-route.decorator.js';
import type { QiscusListedUser, QiscusUser } from './qiscus-users.dto.js';

const user_id = 'guest1@example.com';
const user_ids = [user_id, 'guest2@example.com'];
const user: QiscusUser = {
  active: true,
  avatar_url: 'https://images.example.com/guest1.jpg',
  extras: { team: 'red' },
  user_id,
  username: 'First guest',
};

function listedUser(number: number, name: string): QiscusListedUser {
  const time = `2025-11-26T12:00:0${number}.123000Z`;
  return {
    active: true,
    avatar_url: `https://images.example.com/guest${number}.jpg`,
    created_at: time,
    email: `guest${number}@example.com`,
    extras: { team: 'red' },
    id: 763173274103840 + number,
    name,
    updated_at: time,
    username: name,
  };
}

/** Route examples, by handler. */
export const qiscusExamples = {
  loginOrRegister: {
    parameters: {
      user_id,
      username: user.username,
      password: 'a password',
      avatar_url: user.avatar_url,
      extras: user.extras,
    },
    results: { user },
  },
  profile: { parameters: { user_id }, results: { user } },
  token: { parameters: { user_id }, results: { token: 'Q3vR8mZk1TtYb6WnXc0L' } },
  list: {
    parameters: { page: 1, limit: 2 },
    results: {
      meta: { total_data: 5, total_page: 2 },
      users: [listedUser(1, 'First guest'), listedUser(2, 'Second guest')],
    },
  },
  deactivate: { parameters: { user_ids }, results: { message: 'successfully deactivate user' } },
  reactivate: { parameters: { user_ids }, results: { message: 'successfully reactivate user' } },
  unreadUsers: { parameters: { page: 1, limit: 2 }, results: { user_ids: [user_id] } },
  unreadCounts: {
    parameters: { user_ids },
    results: {
      user_unread_count: [
        { unread_count: 1, user_id },
        { unread_count: 0, user_id: 'guest2@example.com' },
      ],
    },
  },
} satisfies Readonly<Record<string, QiscusExample>>;
