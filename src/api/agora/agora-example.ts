import type { CallExample, CallExamples } from '../../http/call-examples.js';
import type { AgoraAnswer } from './agora-call.js';
import type { AgoraUser } from './agora-users.dto.js';

/** A call of a route, and what the handler says of its answer. */
export interface AgoraExample {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly answer?: Readonly<Record<string, unknown>>;
}

export const exampleMessageId = '763173274103840';
/** The values of every parameter in a path. */
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

/** A user of the examples: user1, user2 … */
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

/** Adds to each example the members of the answer that the call would know. */
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
