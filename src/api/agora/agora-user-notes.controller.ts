import { Param } from '@nestjs/common';
import { ApiExtraModels, getSchemaPath } from '@nestjs/swagger';
import { JsonBody } from '../../http/json-body.pipe.js';
import { UserNotesService } from '../../user-notes/user-notes.service.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { noteExamples } from './agora-staff-examples.js';
import { type AgoraPage, Page } from './agora-page.js';
import { AgoraRoute } from './agora-route.decorator.js';
import { AddAgoraNoteDto, AgoraNote, toAgoraNote } from './agora-user-notes.dto.js';

/** The author of a note that names none. */
const appServer = 'app token';
const note = { $ref: getSchemaPath(AgoraNote) };

/** Notes of the staff on users: an extension to the vendor's API. */
@ApiExtraModels(AgoraNote)
@AgoraController('moderation')
export class AgoraUserNotesController {
  constructor(private readonly notes: UserNotesService) {}

  @AgoraRoute('POST users/:username/notes', 'Add a note to a user, for the staff', {
    idempotent: true,
    answer: 'action path uri timestamp data duration',
    schemas: { data: note },
    examples: noteExamples.add,
  })
  add(@Call() call: AgoraCall, @Param('username') username: string, @JsonBody(AddAgoraNoteDto) body: AddAgoraNoteDto) {
    return call.once(async () => {
      const added = await this.notes.add(call.app.id, username, body.author ?? appServer, body.text);
      return call.answer({ data: toAgoraNote(added) });
    });
  }

  @AgoraRoute('GET users/:username/notes', 'The notes on a user, the newest first, page by page', {
    answer: 'action path uri timestamp data duration cursor? count',
    schemas: { data: { type: 'array', items: note } },
    examples: noteExamples.list,
  })
  async list(@Call() call: AgoraCall, @Param('username') username: string, @Page() { limit, cursor }: AgoraPage) {
    const page = await this.notes.list(call.app.id, username, limit, cursor);
    return call.answer({ data: page.notes.map(toAgoraNote), cursor: page.cursor, count: page.notes.length });
  }
}
