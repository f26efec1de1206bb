import type { Transaction } from '../database/database.js';
import type { User } from './user.js';

/**
 * What another noun writes together with a user, in the transaction that makes or changes the user and while that row
 * is locked. It may run more than once, so it keeps no state outside of the transaction.
 */
export type UserStep = (transaction: Transaction, user: User) => Promise<void>;
