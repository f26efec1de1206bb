import { ApiExtraModels, getSchemaPath } from '@nestjs/swagger';
import { toEntry } from '../../audit/audit-entry.js';
import { type AuditFilter, AuditLog } from '../../audit/audit-log.service.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { AgoraAuditActor, AgoraAuditEntry, AuditQuery } from './agora-audit.dto.js';
import { auditExamples } from './agora-examples.js';
import { type AgoraPage, Page } from './agora-page.js';
import { AgoraRoute } from './agora-route.decorator.js';

/** The audit trail, which the vendor does not have: docs/moderation.md. */
@AgoraController('audit')
@ApiExtraModels(AgoraAuditActor, AgoraAuditEntry)
export class AgoraAuditController {
  constructor(private readonly log: AuditLog) {}

  @AgoraRoute('GET audit', 'What was changed, by whom and when, newest first', {
    answer: 'action uri data timestamp duration count scanned complete cursor?',
    schemas: {
      data: { type: 'array', items: { $ref: getSchemaPath(AgoraAuditEntry) } },
      scanned: { type: 'integer', description: 'How many entries were looked at: up to 5,000' },
      complete: { type: 'boolean', description: 'False: there are entries that were not looked at' },
    },
    examples: auditExamples.list,
  })
  async list(@Call() call: AgoraCall, @AuditQuery() filter: AuditFilter, @Page() { limit, cursor }: AgoraPage) {
    const { entries, scanned, complete, cursor: next } = await this.log.list(call.app.id, filter, limit, cursor);
    return call.answer({
      ...{ data: entries.map(toEntry), count: entries.length },
      ...{ scanned, complete, cursor: next },
    });
  }
}
