import { Module } from '@nestjs/common';
import { IdempotencyService } from './idempotency.service.js';
import { IdempotentAnswersRepository } from './idempotent-answers.repository.js';

@Module({ providers: [IdempotencyService, IdempotentAnswersRepository], exports: [IdempotencyService] })
export class IdempotencyModule {}
