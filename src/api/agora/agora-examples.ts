import type { CallExample, CallExamples } from '../../http/call-examples.js';
import type { AgoraAnswer } from './agora-call.js';
import type { AgoraUser } from './agora-users.dto.js';

/** A call to a route, and the handler's part of its answer. */
export interface AgoraExample {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly answer?: Readonly<Record<string, unknown>>;
}

/** The examples of routes, by handler. */
type AgoraExamples = Readonly<Record<string, Readonly<Record<string, AgoraExample>>>>;

export const exampleMessageId = '763173274103840';
/** Values for all path parameters. */
const inPath: Readonly<Record<string, string>> = { username: 'user1', messageId: exampleMessageId };
const envelope = {
  application: '5f0b2a52-7c1d-4b0e-9d35-3f9f2ad6c1b7',
  entities: [],
  timestamp: 1764158400123,
  duration: 3,
  organization: 'demo',
  applicationName: 'demo',
  properties: {},
};

/** An example user: user1, user2 … */
export function exampleUser(number: number, more: Partial<AgoraUser> = {}): AgoraUser {
  const created = 1764158396000 + number;
  return {
    uuid: `c3a1f50${number}-cabf-11f0-9a51-0d2f4b7c6e18`,
    type: 'user',
    created,
    modified: created,
    username: `user${number}`,
    activated: true,
    ...more,
  };
}

const named = { nickname: 'testuser' };
const account = (number: number) => ({ username: `user${number}`, password: '123' });
const firstPage = { entities: [exampleUser(1, named), exampleUser(2, named)], cursor: 'MTc2NDE1ODM5NjAwMjoy' };
const banned = { entities: [exampleUser(1, { ...named, activated: false })] };
const loggedIn = { access_token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9…', expires_in: 86400 };

export const userExamples = {
  register: {
    'A user': { body: account(1), answer: { entities: [exampleUser(1)], data: [] } },
    'Two users': { body: [account(1), account(2)], answer: { entities: [exampleUser(1), exampleUser(2)], data: [] } },
    'Three users, one of which already exists': {
      body: [account(1), account(2), account(3)],
      answer: {
        entities: [exampleUser(1), exampleUser(2)],
        data: [{ username: 'user3', registerUserFailReason: 'the user3 already exists' }],
      },
    },
  },
  get: { 'A user': { answer: { entities: [exampleUser(1, named)], count: 1 } } },
  list: { 'The first page of two users': { query: { limit: '2' }, answer: { ...firstPage, count: 2 } } },
  change: { 'A nickname': { body: named, answer: { entities: [exampleUser(1, named)] } } },
  delete: { 'A user': { answer: { entities: [exampleUser(1, named)] } } },
  deleteOldest: { 'Two users': { query: { limit: '2' }, answer: firstPage } },
  changePassword: { 'A password': { body: { newpassword: '456' } } },
} satisfies AgoraExamples;

export const banExamples = {
  ban: {
    'Without a reason': { body: {}, answer: banned },
    'For a week, with a reason and a note': {
      body: { reason: 'spam', note: 'ticket 4711', duration: '7d' },
      answer: banned,
    },
  },
  unban: { 'Without a reason': { body: {} }, 'With a reason': { body: { reason: 'a mistake' } } },
  effective: {
    'A user who is not banned': { answer: { data: { active: false } } },
  },
  history: { 'The bans of a user': { answer: { data: [], count: 0 } } },
} satisfies AgoraExamples;

export const presenceExamples = {
  disconnect: { 'A user': { answer: { data: { result: true } } } },
  status: { 'A user': { answer: { data: { user1: 'offline' }, count: 0 } } },
  batchStatus: {
    'Two users': {
      body: { usernames: ['user1', 'user2'] },
      answer: { data: [{ user1: 'offline' }, { user2: 'offline' }] },
    },
  },
} satisfies AgoraExamples;

export const offlineMessageExamples = {
  count: { 'A message': { answer: { data: { user1: 1 }, count: 0 } } },
  status: { 'A message': { answer: { data: { [exampleMessageId]: 'undelivered' }, count: 0 } } },
} satisfies AgoraExamples;

export const tokenExamples = {
  request: {
    'For the app': {
      body: {
        grant_type: 'client_credentials',
        client_id: '21d3269c1d8167958f044d6b779c9d9e',
        client_secret: 'a5d8f848af6cbd9ab99a209a56de1fc6',
      },
      answer: { application: envelope.application, ...loggedIn },
    },
    'For a user, by password': {
      body: { grant_type: 'password', username: 'user1', password: '123' },
      answer: { ...loggedIn, user: exampleUser(1) },
    },
    'For a user, by an app token': {
      body: { grant_type: 'inherit', username: 'user1', autoCreateUser: true },
      answer: { ...loggedIn, user: exampleUser(1) },
    },
    'For the bearer of a 007 token': {
      body: { grant_type: 'agora' },
      answer: { access_token: loggedIn.access_token, expire_timestamp: 1764244800000 },
    },
  },
} satisfies AgoraExamples;

export const auditExamples = {
  list: {
    'The last entry of one kind': {
      query: { action: 'app.create', limit: '1' },
      answer: {
        data: [
          {
            ...{ operation_id: '763173274099712', seq: 1, at: 1764158396001 },
            ...{ actor: { type: 'command_line', id: null }, address: null, request_id: null },
            ...{ action: 'app.create', target: 'demo/demo', target_uuid: null, outcome: 'done', reason: null },
            ...{ before: null, after: { app_id: '21d3269c1d8167958f044d6b779c9d9e', alias: null }, count: 1 },
          },
        ],
        ...{ count: 1, scanned: 1, complete: true },
      },
    },
  },
} satisfies AgoraExamples;

/** Adds the answer members that the call itself supplies to each example. */
export function completeExamples(
  examples: Readonly<Record<string, AgoraExample>>,
  path: string,
  answer: AgoraAnswer,
): CallExamples {
  return Object.fromEntries(Object.entries(examples).map(([name, one]) => [name, complete(one, path, answer)]));
}

function complete(
  { query = {}, body, answer: own = {} }: AgoraExample,
  path: string,
  answer: AgoraAnswer,
): CallExample {
  const called = `/${path.replace(/:(\w+)/g, (_, name: string) => inPath[name] ?? name)}`;
  const known: Readonly<Record<string, unknown>> = {
    ...envelope,
    action: answer.action,
    path: answer.path ?? called,
    uri: `https://chat.example.com/demo/demo${answer.uriAsCalled ? called : (answer.path ?? called)}`,
    params: Object.fromEntries(Object.entries(query).map(([name, value]) => [name, [value]])),
  };
  const members = answer.members.filter(({ name, optional }) => !optional || name in own);
  return {
    parameters: { ...inPath, ...query },
    body,
    answer: Object.fromEntries(members.map(({ name }) => [name, own[name] ?? known[name]])),
  };
}
