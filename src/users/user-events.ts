import { Injectable } from '@nestjs/common';
import type { Transaction } from '../database/database.js';
import { afterCommit } from '../database/unit-of-work.js';
import type { User } from './user.js';

/** What happened to a user, told after it was committed. The user is as it was afterwards; of a deleted one, before. */
export interface UserEvent {
  readonly type: 'banned' | 'deleted' | 'password_changed' | 'tokens_revoked' | 'forced_offline';
  readonly user: User;
}

/** Takes away a few rows that belonged to each of these users of one app, in the transaction that deletes them. */
export type UserDeletionStep = (transaction: Transaction, appId: string, users: readonly User[]) => Promise<void>;

/** How users tell the rest of the product what happened to them, without knowing who listens. */
@Injectable()
export class UserEvents {
  private readonly listeners: ((event: UserEvent) => unknown)[] = [];
  private readonly deletionSteps: UserDeletionStep[] = [];

  /** One that fails is logged: it neither hides the change from the others nor from its caller. */
  subscribe(listener: (event: UserEvent) => unknown): void {
    this.listeners.push(listener);
  }

  publish(event: UserEvent): void {
    for (const listener of this.listeners) afterCommit(() => listener(event));
  }

  /** For what must be gone together with the user, and is a row or two. What has no bound is for `RemovalsService`. */
  deleteTogether(step: UserDeletionStep): void {
    this.deletionSteps.push(step);
  }

  async runDeletionSteps(transaction: Transaction, appId: string, users: readonly User[]): Promise<void> {
    for (const step of this.deletionSteps) await step(transaction, appId, users);
  }
}
