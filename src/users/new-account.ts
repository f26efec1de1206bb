import { AppError } from '../errors/app-error.js';
import { checkPassword } from '../passwords/password.js';
import { checkNickname } from './nickname.js';
import { checkUsername } from './username.js';

export interface NewAccount {
  readonly username: string;
  readonly password?: string | undefined;
  readonly nickname?: string | undefined;
}

export interface CheckedAccount {
  readonly username: string;
  /** The name as the caller wrote it. */
  readonly written: string;
  readonly nickname: string | null;
  readonly password: string | null;
}

/** @throws AppError username_*, nickname_too_long, password_* */
export function checkAccount(account: NewAccount, passwordOptional: boolean): CheckedAccount {
  const username = checkUsername(account.username);
  const { password = '', nickname } = account;
  if (password !== '' || !passwordOptional) checkPassword(password);
  return {
    username,
    written: account.username,
    password: password === '' ? null : password,
    nickname: nickname === undefined || nickname === '' ? null : checkNickname(nickname),
  };
}

/**
 * Merges users given more than once with the same password.
 * @throws AppError batch_contradictory for a user given with two passwords
 */
export function withoutRepeats(accounts: readonly CheckedAccount[]): CheckedAccount[] {
  const unique = new Map<string, CheckedAccount>();
  for (const account of accounts) {
    const first = unique.get(account.username);
    if (first === undefined) unique.set(account.username, account);
    else if (first.password !== account.password)
      throw new AppError('batch_contradictory', { detail: account.written });
  }
  return [...unique.values()];
}
