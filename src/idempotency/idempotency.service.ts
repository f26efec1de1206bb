import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock/clock.js';
import { RetentionClock } from '../retention/retention-clock.js';
import { AppError } from '../errors/app-error.js';
import type { IdempotentAnswerRow } from './idempotent-answer.entity.js';
import { IdempotentAnswersRepository } from './idempotent-answers.repository.js';
import { openAnswer, type SealedAnswer, sealAnswer } from './sealed-answer.js';

export interface Answer extends SealedAnswer {
  /** The operation of the call; null: an older version has answered it. */
  readonly operationId: number | null;
}

/** A call that its sender may repeat without knowing what became of it. */
export interface IdempotentCall {
  readonly appId: string;
  /** Who calls; each caller has separate keys. */
  readonly caller: string;
  /** Chosen by the sender: 1 to 255 printable ASCII characters. */
  readonly key: string;
  /** What the call requests; a key must not be used for two different requests. */
  readonly request: readonly (string | Uint8Array)[];
}

const keyPattern = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;
const keptMs = 24 * 3600 * 1000;
/** What the column can hold. */
const maxSealedLength = 65_000;

/** Owns the answers to repeated calls: the same as the first, for 24 hours, even if the first one was never sent. */
@Injectable()
export class IdempotencyService {
  private readonly underWay = new Set<string>();

  constructor(
    private readonly repository: IdempotentAnswersRepository,
    private readonly clock: Clock,
    private readonly retention: RetentionClock,
  ) {}

  /**
   * Runs a call once for its key. Its writes and its answer are one transaction, so neither exists without the other. A
   * call that fails leaves its key unused, as it has changed nothing.
   * @returns the answer, and whether it is that of an earlier call
   * @throws AppError idempotency_key_invalid, idempotency_key_reused (for another request), idempotency_key_in_use (the
   *   first call is in progress), and whatever `run` throws
   */
  async once(call: IdempotentCall, run: () => Promise<Answer>): Promise<{ answer: Answer; repeated: boolean }> {
    const { appId, key } = call;
    if (!keyPattern.test(key)) throw new AppError('idempotency_key_invalid');
    const keyHash = hashOf([call.caller, key]);
    const name = `${appId} ${keyHash}`;
    if (this.underWay.has(name)) throw new AppError('idempotency_key_in_use', { retryAfterMs: 1000 });
    this.underWay.add(name);
    try {
      const known = await this.earlier(call, keyHash);
      if (known !== null) return { answer: known, repeated: true };
      return { answer: await this.first(call, keyHash, run), repeated: false };
    } catch (error) {
      // Another node may have been faster with the same call, and the failure here may only be its second execution.
      const known = isOfKey(error) ? null : await this.earlier(call, keyHash).catch(() => null);
      if (known !== null) return { answer: known, repeated: true };
      throw error;
    } finally {
      this.underWay.delete(name);
    }
  }

  private async earlier(call: IdempotentCall, keyHash: string): Promise<Answer | null> {
    const row = await this.repository.find(call.appId, keyHash, this.endedUntil());
    if (row === null) return null;
    if (row.request_hash !== hashOf(call.request)) throw new AppError('idempotency_key_reused');
    return { ...openAnswer(row.answer, call.key, call.appId), operationId: row.operation_id };
  }

  private first({ appId, key, request }: IdempotentCall, keyHash: string, run: () => Promise<Answer>): Promise<Answer> {
    const toRow = (answer: Answer): IdempotentAnswerRow => ({
      app_id: appId,
      key_hash: keyHash,
      request_hash: hashOf(request),
      answer: checkLength(sealAnswer(answer, key, appId)),
      expires_at: this.clock.now() + keptMs,
      operation_id: answer.operationId,
    });
    return this.repository.together(appId, run, toRow, this.endedUntil());
  }

  /** The time before which keys have certainly expired: a clock that jumps does not make a call happen twice. */
  private endedUntil(): number {
    return this.retention.dueBefore(keptMs) + keptMs;
  }
}

/** SHA-256 of the parts, each with its length, so that no two lists have the same text. */
function hashOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = Buffer.from(part as string);
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('base64url');
}

function checkLength(sealed: string): string {
  if (sealed.length > maxSealedLength)
    throw new AppError('argument_invalid', {
      detail: 'the answer is too long to be kept for an Idempotency-Key: change fewer users in one call',
    });
  return sealed;
}

function isOfKey(error: unknown): boolean {
  return error instanceof AppError && error.code.startsWith('idempotency_key_');
}
