import { ApiExtraModels, getSchemaPath } from '@nestjs/swagger';
import type { UserQuery } from '../../user-search/user-query.js';
import { UserSearchService } from '../../user-search/user-search.service.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { type AgoraPage, Page } from './agora-page.js';
import { AgoraRoute } from './agora-route.decorator.js';
import { AgoraFoundUser, SearchQuery, toAgoraFoundUser } from './agora-search.dto.js';
import { searchExamples } from './agora-staff-examples.js';

/** The search for users: an extension to the vendor's API. Not below `users`, where a user may have the name `search`. */
@ApiExtraModels(AgoraFoundUser)
@AgoraController('moderation')
export class AgoraSearchController {
  constructor(private readonly search: UserSearchService) {}

  @AgoraRoute(
    'GET search/users',
    'Users by name, nickname, state, time of registration, and when they were last seen',
    {
      answer: 'action params path uri entities timestamp duration cursor? count scanned complete',
      schemas: {
        entities: { type: 'array', items: { $ref: getSchemaPath(AgoraFoundUser) } },
        scanned: { type: 'integer', description: 'How many entries of an index were read' },
        complete: {
          type: 'boolean',
          description: 'False: the page has fewer users than there may be; go on with the cursor, if there is one',
        },
      },
      examples: searchExamples.users,
    },
  )
  async users(@Call() call: AgoraCall, @SearchQuery() query: UserQuery, @Page() { limit, cursor }: AgoraPage) {
    const { users, ...found } = await this.search.find(call.app.id, query, limit, cursor);
    return call.answer({ ...found, entities: users.map(toAgoraFoundUser), count: users.length });
  }
}
