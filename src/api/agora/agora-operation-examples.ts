import type { AgoraExample } from './agora-examples.js';

type Examples = Readonly<Record<string, Readonly<Record<string, AgoraExample>>>>;

export const operationExamples = {
  create: {
    'A ban of two users': {
      body: { action: 'ban', usernames: ['user1', 'user2'], reason: 'spam' },
      answer: {
        data: {
          ...{ id: '763173274103840', action: 'ban', state: 'running', reason: 'spam', by: 'app_token' },
          created_at: 1764158400123,
          progress: { total: 2, done: 0, changed: 0, unchanged: 0, failed: 0 },
        },
      },
    },
    'A dry run of a deletion by filter': {
      body: { action: 'delete', filter: { username: 'user1' }, dry_run: true },
      answer: {
        data: {
          ...{ dry_run: true, action: 'delete', total: 1, would_change: 1, unchanged: 0, unknown: [] },
          users: [
            {
              ...{ username: 'user1', uuid: 'c3a1f501-cabf-11f0-9a51-0d2f4b7c6e18' },
              ...{ groups: 0, chatrooms: 0, offline_msg_count: 0 },
            },
          ],
          ...{ complete: true, confirm: '9b1d6c7f0a3e4d2582f61c0b7a9e5d34' },
        },
      },
    },
  },
} satisfies Examples;
