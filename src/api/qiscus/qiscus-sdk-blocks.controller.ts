import { Controller } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { BlocksService, maxBlocks } from '../../blocks/blocks.service.js';
import { ProfilesService } from '../../profiles/profiles.service.js';
import { Call, QiscusCall } from './qiscus-call.js';
import { Parameters } from './qiscus-parameter.decorators.js';
import { PageParameters, UserEmailParameters } from './qiscus-parameters.dto.js';
import { QiscusRoute } from './qiscus-route.decorator.js';
import { QiscusOtherUser, toQiscusOtherUser } from './qiscus-sdk.dto.js';

const results = { user: QiscusOtherUser };

/** The blocks of a user who has logged in with a client SDK. Blocked users are not notified. */
@ApiTags('qiscus client SDKs')
@Controller(['api/v2/sdk', 'api/v2/mobile'])
export class QiscusSdkBlocksController {
  constructor(
    private readonly profiles: ProfilesService,
    private readonly blocks: BlocksService,
  ) {}

  @QiscusRoute('POST block_user', 'Block a user', { by: 'token', idempotent: true, results })
  block(@Call() call: QiscusCall, @Parameters(UserEmailParameters) { user_email }: UserEmailParameters) {
    return call.once(async () => {
      const other = await this.profiles.get(call.app.id, user_email);
      await this.blocks.block(call.app.id, call.user.uuid, [other.user.uuid]);
      return call.answer({ user: toQiscusOtherUser(other) });
    });
  }

  @QiscusRoute('POST unblock_user', 'Unblock a user', { by: 'token', idempotent: true, results })
  unblock(@Call() call: QiscusCall, @Parameters(UserEmailParameters) { user_email }: UserEmailParameters) {
    return call.once(async () => {
      const other = await this.profiles.get(call.app.id, user_email);
      await this.blocks.unblock(call.app.id, call.user.uuid, [other.user.uuid]);
      return call.answer({ user: toQiscusOtherUser(other) });
    });
  }

  /** Under both names: version 2 of the web SDK reads one, version 3 the other. */
  @QiscusRoute('GET get_blocked_users', 'List the users that the caller has blocked, newest first', {
    by: 'token',
    results: { blocked_users: [QiscusOtherUser], total: Number, users: [QiscusOtherUser] },
  })
  async list(@Call() call: QiscusCall, @Parameters(PageParameters) { page, limit }: PageParameters) {
    const { users: all } = await this.blocks.list(call.app.id, call.user.uuid, maxBlocks, null);
    const uuids = all.slice((page - 1) * limit, page * limit).map(({ uuid }) => uuid);
    const users = (await this.profiles.findAllByUuid(call.app.id, uuids)).map(toQiscusOtherUser);
    return call.answer({ blocked_users: users, total: all.length, users });
  }
}
