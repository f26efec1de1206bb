/** What a user has set for pushes; what is undefined was never set. Kept and shown: nothing here pushes. */
export interface PushSettings {
  /** 0: a push says that there is a message, 1: it says what is in it. */
  readonly displayStyle?: number | undefined;
  /** Whether there are hours without pushes. */
  readonly noDisturbing?: boolean | undefined;
  /** From which hour on, and until which. */
  readonly noDisturbingStart?: number | undefined;
  readonly noDisturbingEnd?: number | undefined;
}

export const maxDisplayStyle = 1;
export const maxHour = 24;

export function readPushSettings(text: string | null): PushSettings {
  return text === null ? {} : (JSON.parse(text) as PushSettings);
}

/** What the change does not have stays as it was. */
export function withPushSettings(text: string | null, change: PushSettings): string | null {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  return given.length === 0 ? text : JSON.stringify({ ...readPushSettings(text), ...Object.fromEntries(given) });
}
