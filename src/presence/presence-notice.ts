/** A user's current presence, for their watchers. */
export interface PresenceNotice {
  readonly username: string;
  /** By resource: `1` for a device that is online, or what was published for it. */
  readonly status: Readonly<Record<string, string>>;
  /** What was last published alongside a status; '': nothing. */
  readonly ext: string;
  /** Unix seconds at which the user was last known to be online; 0: never, as far as known. */
  readonly lastTime: number;
}

/** The recipient of a notice. Includes the uuid because the name may belong to another user by now. */
export interface Watcher {
  readonly username: string;
  readonly uuid: string;
}
