import { Param } from '@nestjs/common';
import { Clock } from '../../clock/clock.js';
import { OptionalJsonBody } from '../../http/json-body.pipe.js';
import { BansService } from '../../users/bans.service.js';
import { UserRevocationsService } from '../../users/user-revocations.service.js';
import { BanAgoraUserDto, toAgoraBan, toAgoraBanRecord, toBanTerms } from './agora-bans.dto.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { banExamples } from './agora-examples.js';
import { type AgoraPage, Page } from './agora-page.js';
import { AgoraRoute } from './agora-route.decorator.js';
import { AgoraReasonDto, toAgoraUser } from './agora-users.dto.js';

const origin = { by: 'app token', source: 'agora' } as const;
const instant = { type: 'integer', nullable: true, description: 'Unix milliseconds' };
const text = { type: 'string', nullable: true };
const terms = {
  starts_at: instant,
  ends_at: { ...instant, description: 'Unix milliseconds; null: for ever' },
  reason: text,
};
const effectiveBan = {
  type: 'object',
  properties: {
    active: { type: 'boolean', description: 'Whether the user is banned now; the only member without any ban' },
    since: instant,
    ...terms,
    lifts_in_s: { type: 'integer', nullable: true, description: 'Seconds until the end of a ban in force' },
    note: text,
    by: text,
    source: text,
  },
  required: ['active'],
};
const history = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      state: { enum: ['active', 'planned', 'lifted', 'superseded', 'ended'] },
      ...terms,
      ...{ note: text, by: text, source: text, created_at: instant },
      ...{ lifted_at: instant, lifted_by: text, lift_reason: text },
    },
  },
};

/** Bans: the vendor's two routes, and what goes beyond them. Members are in the order of docs/dialects/agora.md. */
@AgoraController('users')
export class AgoraBansController {
  constructor(
    private readonly bans: BansService,
    private readonly revocations: UserRevocationsService,
    private readonly clock: Clock,
  ) {}

  @AgoraRoute(
    'POST users/:username/deactivate',
    'Ban a user: every earlier token and session ends, and no login until unbanned',
    {
      idempotent: true,
      action: 'Deactivate user',
      answer: 'action entities timestamp duration',
      examples: banExamples.ban,
    },
  )
  ban(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @OptionalJsonBody(BanAgoraUserDto) body: BanAgoraUserDto,
  ) {
    return call.once(async () => {
      const user = await this.revocations.ban(call.app.id, username, toBanTerms(body, this.clock.now()), origin);
      return call.answer({ entities: [toAgoraUser(user)] });
    });
  }

  @AgoraRoute('POST users/:username/activate', 'Lift a ban', {
    idempotent: true,
    action: 'activate user',
    answer: 'action timestamp duration',
    examples: banExamples.unban,
  })
  unban(
    @Call() call: AgoraCall,
    @Param('username') username: string,
    @OptionalJsonBody(AgoraReasonDto) { reason }: AgoraReasonDto,
  ) {
    return call.once(async () => {
      await this.revocations.unban(call.app.id, username, reason ?? null, origin);
      return call.answer();
    });
  }

  @AgoraRoute('GET users/:username/ban', 'The ban of a user, in force or planned', {
    pool: 'own',
    answer: 'action path uri timestamp data duration',
    schemas: { data: effectiveBan },
    examples: banExamples.effective,
  })
  async effective(@Call() call: AgoraCall, @Param('username') username: string) {
    return call.answer({ data: toAgoraBan(await this.bans.of(call.app.id, username)) });
  }

  @AgoraRoute('GET users/:username/bans', 'All bans of a user, the newest first, page by page', {
    pool: 'own',
    answer: 'action path uri timestamp data duration cursor? count',
    schemas: { data: history },
    examples: banExamples.history,
  })
  async history(@Call() call: AgoraCall, @Param('username') username: string, @Page() { limit, cursor }: AgoraPage) {
    const page = await this.bans.history(call.app.id, username, limit, cursor);
    return call.answer({ data: page.bans.map(toAgoraBanRecord), cursor: page.cursor, count: page.bans.length });
  }
}
