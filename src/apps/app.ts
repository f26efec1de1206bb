/** How often an app may call: Agora's limits for each method, Easemob's one pool for all, or no limit. */
export const rateProfiles = ['agora', 'easemob', 'off'] as const;
export type RateProfile = (typeof rateProfiles)[number];

/** What an operator may set for each app; `rollcall app set ORG/APP key=value` uses these keys. */
export interface AppSettings {
  /** Anyone may register one user without a token. */
  readonly open_registration: boolean;
  /** A registration with an app token may leave the password out. */
  readonly password_optional: boolean;
  /** A Qiscus app server may log a user in again without a password, which then stays as it is. */
  readonly qiscus_password_optional: boolean;
  readonly rate_profile: RateProfile;
  /** Messages of the whole app: one for each receiver, and one more for each KiB. */
  readonly messages_per_second: number;
  /** The same for what one user sends on the gateway. */
  readonly messages_per_second_per_user: number;
  /** Sockets of the app on one node of the gateway. */
  readonly sessions_per_node: number;
  /** Life of a token whose request names none. */
  readonly token_ttl_seconds: number;
  /** How long an offline message waits for its receiver. */
  readonly offline_retention_days: number;
  /** How many offline messages one user keeps; then the sender with the most makes room. */
  readonly offline_messages_per_user: number;
}

/** An app: the tenant that every user, token and message belongs to. */
export interface App {
  /** The application uuid: primary key of the app and first column of every other key. */
  readonly id: string;
  readonly org: string;
  readonly name: string;
  /** The public App ID, 32 hex digits in lower case. */
  readonly appId: string;
  /**
   * App certificates that are valid now, 32 hex digits each in the case they were given in (it is their text that signs),
   * the one that signs first. A second one exists during rotation.
   */
  readonly certificates: readonly string[];
  readonly alias: string | null;
  /**
   * 64 hex digits that Qiscus user tokens and nonces are derived from; never shown. A rotation leaves them, `token_secret=new`
   * draws others, and then what was derived from these is good no more.
   */
  readonly tokenSecret: string;
  readonly disabled: boolean;
  readonly settings: AppSettings;
  readonly createdAt: number;
}
