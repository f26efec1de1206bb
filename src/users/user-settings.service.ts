import { Injectable } from '@nestjs/common';
import { AppError } from '../errors/app-error.js';
import { checkNickname } from './nickname.js';
import { type PushSettings, withPushSettings } from './push-settings.js';
import type { User } from './user.js';
import { UserWritesRepository } from './user-writes.repository.js';
import { usernameKey } from './username.js';
import { UsersService } from './users.service.js';

/** Undefined fields stay as they are. */
export interface UserSettings {
  /** Empty: none. */
  readonly nickname?: string | undefined;
  readonly push?: PushSettings | undefined;
}

/** Nicknames per call; the vendor's limit. */
export const maxNicknames = 50;

/** Owns the push settings that app servers set for users: the nickname shown, and when and how pushes come. */
@Injectable()
export class UserSettingsService {
  constructor(
    private readonly users: UsersService,
    private readonly writes: UserWritesRepository,
  ) {}

  /** @throws AppError user_not_found, nickname_too_long */
  async change(appId: string, nameOrUuid: string, { nickname, push = {} }: UserSettings): Promise<User> {
    const name = nickname === undefined ? {} : { nickname: toNickname(nickname) };
    const result = await this.writes.change(appId, await this.users.get(appId, nameOrUuid), ({ pushSettings }) => ({
      action: nickname === undefined ? 'user.change_push_settings' : 'user.change_nickname',
      user: { ...name, pushSettings: withPushSettings(pushSettings, push) },
    }));
    return result?.user ?? notFound();
  }

  /**
   * Sets the nicknames of up to 50 users in one transaction; if a user is named twice, the last one wins.
   * @returns the users that exist, in the order of the request
   * @throws AppError user_not_found if none does, batch_too_large, nickname_too_long
   */
  async changeNicknames(appId: string, named: readonly { username: string; nickname: string }[]): Promise<User[]> {
    if (named.length > maxNicknames)
      throw new AppError('batch_too_large', { count: named.length, limit: maxNicknames });
    const nicknames = new Map(named.map(({ username, nickname }) => [usernameKey(username), toNickname(nickname)]));
    const names = named.map(({ username }) => username);
    const results = await this.writes.changeEach(appId, await this.users.findAll(appId, names), ({ username }) => ({
      action: 'user.change_nickname',
      user: { nickname: nicknames.get(username) ?? null },
    }));
    const changed = results.flatMap((result) => result?.user ?? []);
    return changed.length === 0 ? notFound() : changed;
  }
}

function toNickname(text: string): string | null {
  return text === '' ? null : checkNickname(text);
}

function notFound(): never {
  throw new AppError('user_not_found');
}
