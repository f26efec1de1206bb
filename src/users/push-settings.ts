/** A user's push settings; undefined ones were never set. Stored and returned only: nothing here sends pushes. */
export interface PushSettings {
  /** 0: a push announces a message, 1: it shows the content. */
  readonly displayStyle?: number | undefined;
  /** Whether do-not-disturb hours are set. */
  readonly noDisturbing?: boolean | undefined;
  /** The hours at which do-not-disturb starts and ends. */
  readonly noDisturbingStart?: number | undefined;
  readonly noDisturbingEnd?: number | undefined;
}

export const maxDisplayStyle = 1;
export const maxHour = 24;

export function readPushSettings(text: string | null): PushSettings {
  return text === null ? {} : (JSON.parse(text) as PushSettings);
}

/** Settings missing from the change stay as they are. */
export function withPushSettings(text: string | null, change: PushSettings): string | null {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  return given.length === 0 ? text : JSON.stringify({ ...readPushSettings(text), ...Object.fromEntries(given) });
}
