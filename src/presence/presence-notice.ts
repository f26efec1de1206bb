/** How a user is now, for those who watch them. */
export interface PresenceNotice {
  readonly username: string;
  /** By resource: `1` for a device that is online, or what was published for it. */
  readonly status: Readonly<Record<string, string>>;
  /** What was published last, beside a status; '': nothing. */
  readonly ext: string;
  /** Unix seconds at which the user was last known to be online; 0: never, as far as anybody knows. */
  readonly lastTime: number;
}

/** Whom a notice is for. With the uuid, because the name may belong to another user by now. */
export interface Watcher {
  readonly username: string;
  readonly uuid: string;
}
