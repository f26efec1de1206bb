import { JsonBodyOneOrMany } from '../../http/json-body.pipe.js';
import type { User } from '../../users/user.js';
import { maxNicknames, UserSettingsService } from '../../users/user-settings.service.js';
import { foldUsername } from '../../users/username.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { AgoraRoute } from './agora-route.decorator.js';
import { AgoraPushNicknameDto, toNamed } from './agora-users.dto.js';

const text = { type: 'string' };
const changed = {
  type: 'array',
  items: { type: 'object', properties: { username: text, push_nickname: text } },
  description: 'The users that exist',
};
const failed = {
  type: 'array',
  items: { type: 'object', properties: { username: text, pushNicknameFailReason: text } },
  description: 'Usernames that do not exist',
};

@AgoraController('users')
export class AgoraPushController {
  constructor(private readonly settings: UserSettingsService) {}

  @AgoraRoute('PUT push/nickname', 'Set the nicknames of up to 50 users', {
    idempotent: true,
    path: '/push',
    answer: 'path uri timestamp organization application entities action data duration applicationName',
    schemas: { entities: changed, data: failed },
  })
  setNicknames(
    @Call() call: AgoraCall,
    @JsonBodyOneOrMany(AgoraPushNicknameDto, maxNicknames) body: AgoraPushNicknameDto | AgoraPushNicknameDto[],
  ) {
    const named = [body].flat().map(toNamed);
    return call.once(async () => {
      const users = await this.settings.changeNicknames(call.app.id, named);
      return call.answer({ entities: users.map(toPushNickname), data: missing(named, users) });
    });
  }
}

function toPushNickname({ username, nickname }: User) {
  return { username, push_nickname: nickname ?? '' };
}

/** Keyed by the names as the caller spelled them. */
function missing(named: readonly { readonly username: string }[], users: readonly User[]) {
  const found = new Set(users.map(({ username }) => username));
  return named
    .filter(({ username }) => !found.has(foldUsername(username)))
    .map(({ username }) => ({ username, pushNicknameFailReason: `the ${username} doesn't exist` }));
}
