import { AppError } from '../errors/app-error.js';
import { type AppSettings, profiles, rateProfiles } from './app.js';

export const defaultAppSettings: AppSettings = {
  open_registration: false,
  password_optional: false,
  qiscus_password_optional: false,
  confirm_deletes: false,
  user_tokens: false,
  profile: 'agora',
  rate_profile: 'profile',
  messages_per_second: 2_000,
  messages_per_second_per_user: 100,
  sessions_per_node: 40_000,
  token_ttl_seconds: 60 * 24 * 3600,
  offline_retention_days: 7,
  offline_messages_per_user: 500,
  user_attributes_bytes: 10_000_000_000,
  contacts_per_user: 10_000,
  audit_retention_days: 365,
};

const parsers: { readonly [Key in keyof AppSettings]: (text: string) => AppSettings[Key] } = {
  open_registration: flag,
  password_optional: flag,
  qiscus_password_optional: flag,
  confirm_deletes: flag,
  user_tokens: flag,
  profile: oneOf(profiles),
  rate_profile: oneOf(rateProfiles),
  messages_per_second: whole(1, 1_000_000),
  messages_per_second_per_user: whole(1, 100_000),
  sessions_per_node: whole(1, 10_000_000),
  token_ttl_seconds: whole(60, 2_147_483_647),
  offline_retention_days: whole(1, 3650),
  offline_messages_per_user: whole(1, 100_000),
  user_attributes_bytes: whole(1, 1_000_000_000_000_000),
  // To list them all, or to delete a user, costs in proportion.
  contacts_per_user: whole(1, 10_000),
  audit_retention_days: whole(1, 36_500),
};

/** What `app set` changes of an app beside its settings. */
const beside = ['alias', 'client_id', 'client_secret', 'disabled', 'previous_certificate', 'token_secret'];

/** Parses one setting from an operator's text. @throws AppError argument_invalid, saying what would be right */
export function parseAppSetting(key: string, text: string): Partial<AppSettings> {
  if (!Object.hasOwn(parsers, key))
    throw new AppError('argument_invalid', {
      detail: `there is no app setting "${key}"; there are ${[...Object.keys(parsers), ...beside].join(', ')}`,
    });
  try {
    return { [key]: parsers[key as keyof AppSettings](text) };
  } catch (error) {
    throw new AppError('argument_invalid', { detail: `${key} must be ${(error as Error).message}` });
  }
}

function wrong(right: string): never {
  throw new Error(right);
}

function flag(text: string): boolean {
  return text === 'true' || (text === 'false' ? false : wrong('true or false'));
}

function oneOf<Value extends string>(values: readonly Value[]): (text: string) => Value {
  return (text) => values.find((value) => value === text) ?? wrong(values.join(', '));
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    return value >= min && value <= max ? value : wrong(`a whole number from ${min} to ${max}`);
  };
}
