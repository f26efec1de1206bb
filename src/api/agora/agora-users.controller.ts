import { Param, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { BelongingsService } from '../../bulk-operations/belongings.service.js';
import { AppError } from '../../errors/app-error.js';
import { JsonBody, JsonBodyOneOrMany } from '../../http/json-body.pipe.js';
import { BansService, type ListedState as State } from '../../users/bans.service.js';
import { confirmationOf, UserDeletionsService } from '../../users/user-deletions.service.js';
import { UserSettingsService } from '../../users/user-settings.service.js';
import { maxBatchSize, UsersService } from '../../users/users.service.js';
import { toBannedAgoraUser } from './agora-bans.dto.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { ListedState } from './agora-listed-state.js';
import { Deletion, type AgoraDeletion, deletionSchemas } from './agora-deletion.js';
import { toAgoraBelongings } from './agora-operations.dto.js';
import { AgoraOwnUserGuard } from './agora-own-user.guard.js';
import { type AgoraPage, Page } from './agora-page.js';
import { userExamples } from './agora-examples.js';
import { AgoraRegistrationGuard } from './agora-registration.guard.js';
import { AgoraRoute } from './agora-route.decorator.js';
import {
  ChangeAgoraPasswordDto,
  ChangeAgoraUserDto,
  RegisterAgoraUserDto,
  toAgoraUser,
  toDeletedAgoraUser,
  toSettings,
} from './agora-users.dto.js';

const path = '/users';
/** The answer members after a change to a user. */
const changed = 'action application path uri entities timestamp duration organization applicationName';
const alreadyRegistered = {
  type: 'array',
  items: { type: 'object', properties: { username: { type: 'string' }, registerUserFailReason: { type: 'string' } } },
  description: 'Users that already exist',
};

/** The user system of Agora Chat (Easemob IM): docs/dialects/agora.md. Members are in the order of its examples. */
@AgoraController('users')
export class AgoraUsersController {
  constructor(
    private readonly users: UsersService,
    private readonly bans: BansService,
    private readonly settings: UserSettingsService,
    private readonly deletions: UserDeletionsService,
    private readonly belongings: BelongingsService,
  ) {}

  @AgoraRoute('POST users', 'Register a user, or up to 60', {
    guard: AgoraRegistrationGuard,
    idempotent: true,
    path,
    answer: 'action application path uri entities timestamp data duration organization applicationName',
    schemas: { data: alreadyRegistered },
    examples: userExamples.register,
  })
  register(
    @Call() call: AgoraCall,
    @Req() request: FastifyRequest,
    @JsonBodyOneOrMany(RegisterAgoraUserDto, maxBatchSize) body: RegisterAgoraUserDto | RegisterAgoraUserDto[],
  ) {
    const withToken = request.headers.authorization !== undefined;
    return call.once(async () => {
      if (!withToken && Array.isArray(body) && body.length > 1) throw new AppError('registration_closed');
      const { password_optional, profile } = call.app.settings;
      const passwordOptional = withToken && (password_optional || profile === 'easemob');
      const { registered, taken } = await this.users.register(call.app, [body].flat().map(toAccount), passwordOptional);
      if (registered.length === 0) throw new AppError('username_taken', { detail: taken[0] ?? '' });
      return call.answer({
        entities: registered.map(toAgoraUser),
        data: taken.map((username) => ({ username, registerUserFailReason: `the ${username} already exists` })),
      });
    });
  }

  @AgoraRoute('GET users/:username', 'Get a user by name or uuid', {
    path,
    uri: 'as called',
    answer: 'action path uri entities timestamp duration count',
    examples: userExamples.get,
  })
  async get(@Call() call: AgoraCall, @Param('username') username: string) {
    const user = await this.users.get(call.app.id, username);
    return call.answer({ entities: [toAgoraUser(user)], count: 1 });
  }

  @AgoraRoute('GET users', 'List users in order of registration, by page', {
    path,
    answer: 'action params path uri entities timestamp duration cursor? count',
    examples: userExamples.list,
  })
  async list(@Call() call: AgoraCall, @Page() { limit, cursor }: AgoraPage, @ListedState() state: State | null) {
    if (state !== null) {
      const { banned, ...page } = await this.bans.list(call.app.id, state, limit, cursor);
      return call.answer({ entities: banned.map(toBannedAgoraUser), cursor: page.cursor, count: banned.length });
    }
    const page = await this.users.list(call.app.id, limit, cursor);
    return call.answer({ entities: page.users.map(toAgoraUser), cursor: page.cursor, count: page.users.length });
  }

  @AgoraRoute('PUT users/:username', 'Update the nickname or push settings of a user', {
    guard: AgoraOwnUserGuard,
    idempotent: true,
    path,
    answer: changed,
    examples: userExamples.change,
  })
  change(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @JsonBody(ChangeAgoraUserDto) body: ChangeAgoraUserDto,
  ) {
    return call.once(async () => {
      const user = await this.settings.change(call.app.id, username, toSettings(body));
      return call.answer({ entities: [toAgoraUser(user)] });
    });
  }

  @AgoraRoute('DELETE users/:username', 'Delete a user and all of its data', {
    idempotent: true,
    path,
    answer: changed,
    examples: userExamples.delete,
  })
  delete(@Call() call: AgoraCall, @Param('username') username: string) {
    return call.once(async () => {
      const user = await this.users.delete(call.app.id, username);
      return call.answer({ entities: [toDeletedAgoraUser(call.app, user)] });
    });
  }

  @AgoraRoute('DELETE users', 'Delete the oldest users of an app', {
    limit: 30,
    idempotent: true,
    path,
    answer:
      'action application params path uri entities timestamp duration organization applicationName cursor? data? confirm?',
    schemas: deletionSchemas,
    examples: userExamples.deleteOldest,
  })
  deleteOldest(
    @Call() call: AgoraCall,
    @Page() { limit, cursor, limitIsDefault }: AgoraPage,
    @Deletion() { isDryRun, confirmation }: AgoraDeletion,
  ) {
    // A client deleting one user sends this when the name is empty: it does not mean the oldest ten.
    if (call.endsInSlash && limitIsDefault) throw new AppError('route_not_found');
    if (isDryRun) return this.previewDeletion(call, limit, cursor);
    if (confirmation === null && call.app.settings.confirm_deletes) throw new AppError('confirmation_missing');
    return call.once(async () => {
      const page = await this.deletions.deleteOldest(call.app.id, limit, cursor, confirmation);
      return call.answer({
        entities: page.users.map((user) => toDeletedAgoraUser(call.app, user)),
        cursor: page.cursor,
      });
    });
  }

  /** Agora documents PUT; Easemob's limit tables list POST, so both work. */
  @AgoraRoute('PUT users/:username/password', 'Set the password of a user and end all their tokens and sessions', {
    idempotent: true,
    action: 'set user password',
    answer: 'action timestamp duration',
    examples: userExamples.changePassword,
  })
  changePassword(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @JsonBody(ChangeAgoraPasswordDto) { newpassword }: ChangeAgoraPasswordDto,
  ) {
    return call.once(async () => {
      await this.users.changePassword(call.app.id, username, newpassword);
      return call.answer();
    });
  }

  @AgoraRoute('POST users/:username/password', 'Set the password of a user (by POST)', {
    idempotent: true,
    action: 'set user password',
    answer: 'action timestamp duration',
    examples: userExamples.changePassword,
  })
  changePasswordByPost(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @JsonBody(ChangeAgoraPasswordDto) body: ChangeAgoraPasswordDto,
  ) {
    return this.changePassword(call, username, body);
  }

  private async previewDeletion(call: AgoraCall, limit: number, cursor: string | null) {
    const page = await this.deletions.oldest(call.app.id, limit, cursor);
    const belongings = await this.belongings.of(call.app.id, page.users);
    return call.answer({
      entities: page.users.map(toAgoraUser),
      cursor: page.cursor,
      data: belongings.map(toAgoraBelongings),
      confirm: confirmationOf(call.app.id, page.users),
    });
  }
}

function toAccount({ username, password, nickname }: RegisterAgoraUserDto) {
  return { username, password: password ?? undefined, nickname: nickname ?? undefined };
}
