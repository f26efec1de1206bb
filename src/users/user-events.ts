import { Injectable } from '@nestjs/common';
import type { Transaction } from '../database/database.js';
import { afterCommit } from '../database/unit-of-work.js';
import type { User } from './user.js';

/** What happened to a user, published after the commit. `user` is the new state; for a deletion, the last one. */
export interface UserEvent {
  readonly type: 'banned' | 'deleted' | 'password_changed' | 'tokens_revoked' | 'forced_offline' | 'mute_changed';
  readonly user: User;
}

/** Removes a few rows that belonged to each of these users of one app, in the transaction that deletes the users. */
export type UserDeletionStep = (transaction: Transaction, appId: string, users: readonly User[]) => Promise<void>;

/** Tells the rest of the product what happened to users, without knowing the listeners. */
@Injectable()
export class UserEvents {
  private readonly listeners: ((event: UserEvent) => unknown)[] = [];
  private readonly deletionSteps: UserDeletionStep[] = [];

  /** A listener that throws is logged: neither the other listeners nor the caller notice. */
  subscribe(listener: (event: UserEvent) => unknown): void {
    this.listeners.push(listener);
  }

  publish(event: UserEvent): void {
    for (const listener of this.listeners) afterCommit(() => listener(event));
  }

  /** For a row or two that must go together with the user. Unbounded rows are for `RemovalsService`. */
  onDeleteInTransaction(step: UserDeletionStep): void {
    this.deletionSteps.push(step);
  }

  async runDeletionSteps(transaction: Transaction, appId: string, users: readonly User[]): Promise<void> {
    for (const step of this.deletionSteps) await step(transaction, appId, users);
  }
}
