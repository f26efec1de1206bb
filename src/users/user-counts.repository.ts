import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../database/database.js';

const countSlots = 16;

/** How many users an app has, spread over rows that writers lock by chance. */
@Injectable()
export class UserCountsRepository {
  constructor(private readonly database: Database) {}

  /** Adds to the count, in the transaction that adds or removes the users. */
  async add(transaction: Transaction, appId: string, users: number): Promise<void> {
    if (users === 0) return;
    const slot = this.database.engine === 'sqlite' ? 0 : randomInt(countSlots);
    const ending = this.database.dialect.addToExisting('app_id, slot', 'users');
    await transaction.run(`INSERT INTO user_counts (app_id, slot, users) VALUES (?, ?, ?)${ending}`, [
      appId,
      slot,
      users,
    ]);
  }
}
