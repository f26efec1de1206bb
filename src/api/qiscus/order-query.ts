import type { UserOrder, UserOrderColumn } from '../../users/user-order.js';

/** Client column names and the columns they map to. Users are registered in id order. */
const columns: Readonly<Record<string, UserOrderColumn>> = {
  id: 'id',
  created_at: 'id',
  email: 'username',
  user_id: 'username',
  name: 'displayName',
  username: 'displayName',
  updated_at: 'modifiedAt',
};
const term = /^\s*([a-z_]+)(?:\s+(asc|desc))?(?:\s+nulls\s+(?:first|last))?\s*$/i;
const maxTerms = 5;

/** Newest first. */
export const defaultOrder: UserOrder = [{ by: 'id', descending: true }];

/**
 * Reads what clients write after ORDER BY, such as `created_at desc nulls last` or `email asc, created_at desc`. No
 * column is ever null, so where nulls go makes no difference. None of the text reaches the database.
 * @returns null for anything else
 */
export function parseOrderQuery(text: string): UserOrder | null {
  const terms = text.split(',');
  if (terms.length > maxTerms) return null;
  const order = terms.map((one) => {
    const [, column = '', direction = 'asc'] = term.exec(one) ?? [];
    const name = column.toLowerCase();
    const by = Object.hasOwn(columns, name) ? columns[name] : undefined;
    return by === undefined ? null : { by, descending: direction.toLowerCase() === 'desc' };
  });
  return order.includes(null) ? null : order.filter((one) => one !== null);
}
