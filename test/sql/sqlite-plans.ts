import type BetterSqlite3 from 'better-sqlite3';

/**
 * How SQLite executes statements: a line for each table and each sort. It has no statistics, here as in the service, so
 * the contents of the tables make no difference.
 */
export class SqlitePlans {
  constructor(private readonly connection: BetterSqlite3.Database) {}

  of(sql: string): string[] {
    const values = Array(sql.split('?').length - 1).fill(null);
    const steps = this.connection.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[];
    // The list of values itself, of any length.
    return steps
      .map(({ detail }) => detail)
      .filter((detail) => !/^SCAN (json_each\b|\d+-ROW VALUES CLAUSE$)|^LIST SUBQUERY|^REUSE/.test(detail));
  }
}
