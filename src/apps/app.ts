/**
 * Which service an app behaves like: Agora as its documents say, Easemob as it answers today where that differs, or
 * Agora without limits. docs/dialects/agora.md lists what each one changes.
 */
export const profiles = ['agora', 'easemob', 'off'] as const;
export type Profile = (typeof profiles)[number];

/** `profile`: as the profile has it. */
export const rateProfiles = ['profile', ...profiles] as const;
export type RateProfile = (typeof rateProfiles)[number];

/** What an operator may set per app; `rollcall app set ORG/APP key=value` uses these keys. */
export interface AppSettings {
  /** Anyone may register a single user without a token. */
  readonly open_registration: boolean;
  /** A registration with an app token may omit the password. */
  readonly password_optional: boolean;
  /** A Qiscus app server may log in an existing user without a password, which then stays as it is. */
  readonly qiscus_password_optional: boolean;
  /** Many users are deleted only with the hash of an answer that has said who they are. */
  readonly confirm_deletes: boolean;
  /** A user token opens the routes of the Agora dialect that are about that user's own things. */
  readonly user_tokens: boolean;
  readonly profile: Profile;
  /** How often the app may call, where that is not what its profile says. */
  readonly rate_profile: RateProfile;
  /** Messages of the whole app per second: one for each receiver, and one more for each KiB. */
  readonly messages_per_second: number;
  /** The same for what one user sends on the gateway. */
  readonly messages_per_second_per_user: number;
  /** Gateway sockets of the app per node. */
  readonly sessions_per_node: number;
  /** Lifetime of tokens requested without one. */
  readonly token_ttl_seconds: number;
  /** How long an offline message is kept for its receiver. */
  readonly offline_retention_days: number;
  /** How many offline messages are kept per user; beyond that, the sender with the most makes room. */
  readonly offline_messages_per_user: number;
  /** Bytes that the attributes of all users may have together. */
  readonly user_attributes_bytes: number;
  /** How long the audit trail is kept. */
  readonly audit_retention_days: number;
  /** How many contacts each user may have. */
  readonly contacts_per_user: number;
}

export interface ClientCredentials {
  readonly id: string;
  readonly secret: string;
}

/** An app: the tenant that every user, token and message belongs to. */
export interface App {
  /** The application uuid: the app's primary key, and the first column of every other key. */
  readonly id: string;
  readonly org: string;
  readonly name: string;
  /** The public App ID, 32 hex digits in lower case. */
  readonly appId: string;
  /**
   * The current App certificates, 32 hex digits each, in the letter case in which they were given (signatures depend on
   * the text). The first one signs; a second one exists during a rotation.
   */
  readonly certificates: readonly string[];
  readonly alias: string | null;
  /** A second pair for the grant `client_credentials`, so that a configuration made for Easemob need not change. */
  readonly clientCredentials: ClientCredentials | null;
  /**
   * 64 hex digits that Qiscus user tokens and nonces are derived from; never shown. A rotation keeps it;
   * `token_secret=new` draws another one, which invalidates everything derived from it.
   */
  readonly tokenSecret: string;
  readonly disabled: boolean;
  readonly settings: AppSettings;
  readonly createdAt: number;
}

/** How often an app may call: Agora's limits per method, Easemob's single pool, or no limit. */
export function rateProfileOf({ settings }: Pick<App, 'settings'>): Profile {
  return settings.rate_profile === 'profile' ? settings.profile : settings.rate_profile;
}
