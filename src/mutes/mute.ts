import { AppError } from '../errors/app-error.js';

/** What a user can be muted in. Only one-to-one chats go through this service; the others are stored for the app. */
export const muteKinds = ['chat', 'groupchat', 'chatroom'] as const;
export type MuteKind = (typeof muteKinds)[number];

/** Until when a user may not send, in Unix milliseconds; 0: not muted. */
export type Mute = Readonly<Record<MuteKind, number>>;

/** In seconds: -1 for a permanent mute, 0 to lift it. */
export type MuteDurations = Readonly<Partial<Record<MuteKind, number>>>;

export const maxMuteSeconds = 2_147_483_647;
/** The end of a permanent mute. */
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
        detail: `${kind} must be whole seconds from 0 to ${maxMuteSeconds}, or -1 for no end`,
      });
  }
}

/** Kinds without a duration stay as they were. */
export function withDurations(before: Mute, durations: MuteDurations, nowMs: number): Mute {
  const until = (kind: MuteKind): number => {
    const seconds = durations[kind];
    if (seconds === undefined) return before[kind] > nowMs ? before[kind] : 0;
    return seconds === -1 ? forever : seconds === 0 ? 0 : nowMs + seconds * 1_000;
  };
  return { chat: until('chat'), groupchat: until('groupchat'), chatroom: until('chatroom') };
}

/** When the last of its kinds ends. */
export function endOf(mute: Mute): number {
  return Math.max(...muteKinds.map((kind) => mute[kind]));
}

/** Whole seconds left, rounded up; 0: none, -1: permanent. */
export function secondsLeft(untilMs: number, nowMs: number): number {
  return untilMs === forever ? -1 : Math.max(0, Math.ceil((untilMs - nowMs) / 1_000));
}
