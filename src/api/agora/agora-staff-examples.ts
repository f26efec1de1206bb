import { type AgoraExample, exampleUser } from './agora-examples.js';

type Examples = Readonly<Record<string, Readonly<Record<string, AgoraExample>>>>;

const note = { author: 'joe', text: 'Asked twice to stop, see ticket 4711' };
const added = { id: '763173274103840', ...note, created: 1764158400123 };
const found = (number: number) => ({
  ...exampleUser(number, { nickname: 'testuser' }),
  ...{ state: 'active', last_seen: null, online: false },
});

export const noteExamples = {
  add: { 'A note': { body: note, answer: { data: added } } },
  list: { 'A note': { answer: { data: [added], count: 1 } } },
} satisfies Examples;

export const searchExamples = {
  users: {
    'The first page of two users': {
      query: { limit: '2', nickname: 'Test', state: 'active', username: 'user' },
      answer: {
        ...{ entities: [found(1), found(2)], cursor: 'bVdHeFZJd2xJeGZQU0V4T1siY3JlYXRlZCIs' },
        ...{ count: 2, scanned: 3, complete: true },
      },
    },
  },
} satisfies Examples;
