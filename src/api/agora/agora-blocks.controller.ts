import { Param } from '@nestjs/common';
import { type BlockChange, BlocksService } from '../../blocks/blocks.service.js';
import { JsonBody } from '../../http/json-body.pipe.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { ListPage } from './agora-list-page.js';
import { AgoraOwnUserGuard } from './agora-own-user.guard.js';
import type { AgoraPage } from './agora-page.js';
import { BlockAgoraUsersDto, CheckAgoraUsersDto, relationsSchema, toRelations } from './agora-relations.dto.js';
import { AgoraRoute, type AgoraRouteOptions } from './agora-route.decorator.js';
import { toAgoraUser } from './agora-users.dto.js';

const usernames = { type: 'array', items: { type: 'string' } };
const relation = ['blacklist', 'not_blacklist'] as const;
const own = { guard: AgoraOwnUserGuard, limit: 50, pool: 'own' } as const;
const blocking: AgoraRouteOptions = {
  ...own,
  idempotent: true,
  answer: 'action application uri entities data timestamp duration organization applicationName',
  schemas: { data: usernames },
};
const unblocking: AgoraRouteOptions = {
  ...own,
  idempotent: true,
  answer: 'action application path uri entities timestamp duration organization applicationName',
};

/** The users whose messages a user does not receive. */
@AgoraController('blocks')
export class AgoraBlocksController {
  constructor(private readonly blocks: BlocksService) {}

  @AgoraRoute(
    'POST users/:username/blocks/users',
    'Block users, so that their messages no longer reach this user',
    blocking,
  )
  block(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @JsonBody(BlockAgoraUsersDto) body: BlockAgoraUsersDto,
  ) {
    return call.once(async () => {
      const { blocked } = await this.blocks.block(call.app.id, username, body.usernames);
      return call.answer({ data: blocked.map((user) => user.username) });
    });
  }

  /** The path that the vendor's web SDK uses. */
  @AgoraRoute('POST sdk/user/:username/blocks', 'Block users (alternative path)', blocking)
  blockAsClient(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @JsonBody(BlockAgoraUsersDto) body: BlockAgoraUsersDto,
  ) {
    return this.block(call, username, body);
  }

  @AgoraRoute('GET users/:username/blocks/users', 'List the users that a user has blocked, newest first', {
    ...own,
    answer: 'action uri entities data timestamp duration cursor? count',
    schemas: { data: usernames },
  })
  async list(@Call() call: AgoraCall, @Param('username') username: string, @ListPage() { limit, cursor }: AgoraPage) {
    const page = await this.blocks.list(call.app.id, username, limit, cursor);
    const data = page.users.map((user) => user.username);
    return call.answer({ data, cursor: page.cursor, count: data.length });
  }

  /** One name, or several separated by commas. */
  @AgoraRoute('DELETE users/:username/blocks/users/:usernames', 'Unblock one or more users', unblocking)
  unblock(@Call() call: AgoraCall, @Param('username') username: string, @Param('usernames') names: string) {
    return this.unblockAll(call, username, names.split(','));
  }

  /** The form that older Java SDKs use. */
  @AgoraRoute('DELETE users/:username/blocks/users', 'Unblock users named in the body', unblocking)
  unblockByBody(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @JsonBody(BlockAgoraUsersDto) body: BlockAgoraUsersDto,
  ) {
    return this.unblockAll(call, username, body.usernames);
  }

  /** The path that the vendor's web SDK uses. */
  @AgoraRoute('DELETE sdk/user/:username/blocks', 'Unblock users (alternative path)', unblocking)
  unblockAsClient(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @JsonBody(BlockAgoraUsersDto) body: BlockAgoraUsersDto,
  ) {
    return this.unblockAll(call, username, body.usernames);
  }

  @AgoraRoute('POST blocks/check', 'Check which of up to 100 users a user has blocked', {
    pool: 'own',
    answer: 'action application path uri entities timestamp duration organization applicationName',
    schemas: { entities: relationsSchema(...relation) },
  })
  async check(@Call() call: AgoraCall, @JsonBody(CheckAgoraUsersDto) body: CheckAgoraUsersDto) {
    const blocked = await this.blocks.check(call.app.id, body.username, body.check_list);
    const entities = toRelations(body, blocked, ...relation);
    return call.answer({ entities });
  }

  private unblockAll(call: AgoraCall, username: string, names: readonly string[]) {
    return call.once(async () => toAnswer(call, await this.blocks.unblock(call.app.id, username, names)));
  }
}

/** The path identifies the list by its user's uuid, as the vendor's does. */
function toAnswer(call: AgoraCall, { user, blocked }: BlockChange): object {
  const path = `/users/${user.uuid}/blocks`;
  return call.answer({ path, uri: call.uri(path), entities: blocked.map(toAgoraUser) });
}
