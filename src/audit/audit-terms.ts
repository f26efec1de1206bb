import type { AuditEntryRow } from './audit-entry.entity.js';

/** What entries can be asked for, the most selective first. */
export const conditionColumns = ['target', 'actor', 'action'] as const;

export interface Condition {
  readonly column: (typeof conditionColumns)[number];
  readonly value: string;
}

/** Most entries are the app server's: to find those, the order of time is as good. */
const actorWithoutTerm = 'app_token';

/** By what a condition is looked up; null: only by looking at every entry. */
export function termOf({ column, value }: Condition): string | null {
  return column === 'actor' && value === actorWithoutTerm ? null : `${column} ${value}`;
}

/** By what an entry is found. */
export function termsOf(entry: Pick<AuditEntryRow, Condition['column']>): string[] {
  return conditionColumns.flatMap((column) => {
    const value = entry[column];
    return value === null ? [] : (termOf({ column, value }) ?? []);
  });
}
