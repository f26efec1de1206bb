import type { Transaction } from '../database/database.js';
import type { User } from './user.js';

/**
 * What another noun writes with a user, in the transaction that creates or changes the user and while its row is
 * locked. It may run more than once, so it keeps no state outside the transaction.
 */
export type UserStep = (transaction: Transaction, user: User) => Promise<void>;
