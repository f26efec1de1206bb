import { Param, Query } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import { type Outcome, outcomes } from '../../bulk-operations/bulk-operation.js';
import { BulkOperationsService } from '../../bulk-operations/bulk-operations.service.js';
import { OperationUndoService } from '../../bulk-operations/operation-undo.service.js';
import { Clock } from '../../clock/clock.js';
import { AppError } from '../../errors/app-error.js';
import { JsonBody } from '../../http/json-body.pipe.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { operationExamples } from './agora-operation-examples.js';
import {
  BulkAgoraOperationDto,
  isDryRun,
  operationSchema,
  previewSchema,
  resultsSchema,
  toAgoraOperation,
  toAgoraPreview,
  toAgoraResult,
  toBulkTarget,
  toBulkTerms,
} from './agora-operations.dto.js';
import { type AgoraPage, Page } from './agora-page.js';
import { AgoraRoute } from './agora-route.decorator.js';

const one = 'action uri data timestamp duration';
const many = 'action params uri data timestamp duration cursor? count';

/** Changes of many users, and undo: extensions to the vendor's API (docs/moderation.md). */
@AgoraController('moderation')
export class AgoraOperationsController {
  constructor(
    private readonly operations: BulkOperationsService,
    private readonly undos: OperationUndoService,
    private readonly clock: Clock,
  ) {}

  @AgoraRoute('POST operations', 'Ban, unban, force offline or delete many users, or say who that would be', {
    idempotent: true,
    answer: one,
    schemas: { data: { oneOf: [operationSchema, previewSchema] } },
    examples: operationExamples.create,
  })
  create(@Call() call: AgoraCall, @JsonBody(BulkAgoraOperationDto) body: BulkAgoraOperationDto) {
    return call.once(async () => {
      const terms = toBulkTerms(body, this.clock.now());
      const target = toBulkTarget(body);
      if (isDryRun(body)) {
        const preview = await this.operations.preview(call.app, terms, target);
        return call.answer({ data: toAgoraPreview(terms.action, preview) });
      }
      const operation = await this.operations.create(call.app, terms, target, body.confirm ?? null);
      return call.answer({ data: toAgoraOperation(operation) });
    });
  }

  @AgoraRoute('GET operations', 'Operations, newest first', {
    answer: many,
    schemas: { data: { type: 'array', items: operationSchema } },
  })
  async list(@Call() call: AgoraCall, @Page() { limit, cursor }: AgoraPage) {
    const page = await this.operations.list(call.app.id, limit, cursor);
    return call.answer({ data: page.items.map(toAgoraOperation), cursor: page.cursor, count: page.items.length });
  }

  @AgoraRoute('GET operations/:operationId', 'An operation and how far it is', {
    answer: one,
    schemas: { data: operationSchema },
  })
  async get(@Call() call: AgoraCall, @Param('operationId') id: string) {
    return call.answer({ data: toAgoraOperation(await this.operations.get(call.app.id, id)) });
  }

  @ApiQuery({ name: 'outcome', required: false, enum: outcomes })
  @AgoraRoute('GET operations/:operationId/results', 'What became of each user, failures first', {
    answer: many,
    schemas: { data: resultsSchema },
  })
  async results(
    @Call() call: AgoraCall,
    @Param('operationId') id: string,
    @Query('outcome') outcome: unknown,
    @Page() { limit, cursor }: AgoraPage,
  ) {
    const page = await this.operations.results(call.app.id, id, toOutcome(outcome), limit, cursor);
    return call.answer({ data: page.items.map(toAgoraResult), cursor: page.cursor, count: page.items.length });
  }

  @AgoraRoute('POST operations/:operationId/cancel', 'End an operation: what is done stays done', {
    idempotent: true,
    answer: one,
    schemas: { data: operationSchema },
  })
  cancel(@Call() call: AgoraCall, @Param('operationId') id: string) {
    return call.once(async () =>
      call.answer({ data: toAgoraOperation(await this.operations.cancel(call.app.id, id)) }),
    );
  }

  @AgoraRoute('POST operations/:operationId/undo', 'Take back what an operation has changed, within 24 hours', {
    idempotent: true,
    answer: one,
    schemas: { data: operationSchema },
  })
  undo(@Call() call: AgoraCall, @Param('operationId') id: string) {
    return call.once(async () => call.answer({ data: toAgoraOperation(await this.undos.undo(call.app, id)) }));
  }
}

function toOutcome(text: unknown): Outcome | null {
  if (text === undefined || text === '') return null;
  const outcome = outcomes.find((one) => one === text);
  if (outcome !== undefined) return outcome;
  throw new AppError('argument_invalid', { detail: `outcome must be one of ${outcomes.join(', ')}` });
}
