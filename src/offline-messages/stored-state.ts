/**
 * How far a message has come in an inbox: the values of `inbox_messages.state`. Those below `history` are the user's
 * offline messages; the others count as `history` of the inbox.
 */
export const storedState = {
  /** No device has acknowledged it. */
  undelivered: 0,
  /** Acknowledged, and the user was offline when it arrived: still an offline message. */
  delivered: 1,
  /** Acknowledged by a user who was online when it arrived: no longer an offline message. */
  history: 2,
  /** Only for sessions that were open when it arrived; no device has acknowledged it. */
  live: 3,
} as const;

/** Whether no device has acknowledged the message. */
export function isUndelivered(state: number): boolean {
  return state === storedState.undelivered || state === storedState.live;
}
