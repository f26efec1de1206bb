import type { QueryRunner, TableColumnOptions } from 'typeorm';

/** Column shapes that mean the same on every engine. */
export interface Columns {
  /** Short text that is compared byte by byte. */
  readonly text: (name: string, length: number, options?: Partial<TableColumnOptions>) => TableColumnOptions;
  /** Text of up to 64 KiB. */
  readonly longText: (name: string, options?: Partial<TableColumnOptions>) => TableColumnOptions;
  /** An integer that JavaScript represents exactly; also Unix milliseconds. */
  readonly whole: (name: string, options?: Partial<TableColumnOptions>) => TableColumnOptions;
  readonly small: (name: string, options?: Partial<TableColumnOptions>) => TableColumnOptions;
}

export function columnsFor(runner: QueryRunner): Columns {
  // The database's default may fold case or ignore accents; then one engine would refuse what the other accepts.
  const exact = runner.dataSource.options.type === 'mysql' ? { charset: 'utf8mb4', collation: 'utf8mb4_bin' } : {};
  return {
    text: (name, length, options = {}) => ({ name, type: 'varchar', length: String(length), ...exact, ...options }),
    longText: (name, options = {}) => ({ name, type: 'text', ...exact, ...options }),
    whole: (name, options = {}) => ({ name, type: 'bigint', ...options }),
    small: (name, options = {}) => ({ name, type: 'smallint', ...options }),
  };
}
