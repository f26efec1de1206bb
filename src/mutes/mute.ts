import { AppError } from '../errors/app-error.js';

/** What a user can be muted in. Only one-to-one chats are sent through this service; the others are kept for the app. */
export const muteKinds = ['chat', 'groupchat', 'chatroom'] as const;
export type MuteKind = (typeof muteKinds)[number];

/** Until when a user may not send, in Unix milliseconds; 0: the user may. */
export type Mute = Readonly<Record<MuteKind, number>>;

/** In seconds: -1 for good, 0 to lift the mute. */
export type MuteDurations = Readonly<Partial<Record<MuteKind, number>>>;

export const maxMuteSeconds = 2_147_483_647;
/** The end of a mute that has none. */
export const forever = Number.MAX_SAFE_INTEGER;
export const noMute: Mute = { chat: 0, groupchat: 0, chatroom: 0 };

/** @throws AppError argument_invalid */
export function checkDurations(durations: MuteDurations): void {
  const given = muteKinds.filter((kind) => durations[kind] !== undefined);
  if (given.length === 0)
    throw new AppError('argument_invalid', { detail: `one of ${muteKinds.join(', ')} is required` });
  for (const kind of given) {
    const seconds = durations[kind] as number;
    if (!Number.isInteger(seconds) || seconds < -1 || seconds > maxMuteSeconds)
      throw new AppError('argument_invalid', {
        detail: `${kind} must be whole seconds from 0 to ${maxMuteSeconds}, or -1 for ever`,
      });
  }
}

/** What is not among the durations stays as it was. */
export function withDurations(before: Mute, durations: MuteDurations, nowMs: number): Mute {
  const until = (kind: MuteKind): number => {
    const seconds = durations[kind];
    if (seconds === undefined) return before[kind] > nowMs ? before[kind] : 0;
    return seconds === -1 ? forever : seconds === 0 ? 0 : nowMs + seconds * 1_000;
  };
  return { chat: until('chat'), groupchat: until('groupchat'), chatroom: until('chatroom') };
}

/** When nothing of the mute is left. */
export function endOf(mute: Mute): number {
  return Math.max(...muteKinds.map((kind) => mute[kind]));
}

/** Whole seconds that are left, the last one until its end; 0: none, -1: for ever. */
export function secondsLeft(untilMs: number, nowMs: number): number {
  return untilMs === forever ? -1 : Math.max(0, Math.ceil((untilMs - nowMs) / 1_000));
}
