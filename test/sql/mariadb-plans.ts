import type { Connection, RowDataPacket } from 'mysql2/promise';
import { sampleOf } from './filling.js';
import { onOneLine, withoutRepeatedParts } from './statement-text.js';

/** The number of values in each list of a statement. */
const lengthOfList = 20;
/** Values, with the column that they are compared with, if any. */
const comparison = /(?:(?:\b([a-z])\.)?\b([a-z_]+) (<>|[<>]=?|=|IN \() ?)?\?((?:, \?)*)/g;

type Rows = readonly Record<string, unknown>[];

/** How MariaDB executes statements, in tables filled by `fillTables`. */
export class MariadbPlans {
  private readonly samples = new Map<string, Promise<Rows>>();

  constructor(private readonly connection: Connection) {}

  /** A line per table, in the order of access: `table: type index (columns that bound it)`. */
  async of(written: string, recorded: readonly unknown[]): Promise<string[]> {
    const sql = withoutRepeatedParts(onOneLine(written));
    if (sql.startsWith('INSERT')) return [];
    const { text, values } = await this.bind(sql, recorded);
    const [[row]] = await this.connection.query<RowDataPacket[]>(`EXPLAIN FORMAT=JSON ${text}`, values);
    return linesOf(JSON.parse((row as { EXPLAIN: string }).EXPLAIN));
  }

  /** With values that exist in the tables: for a missing row the optimizer shows no plan. */
  private async bind(sql: string, recorded: readonly unknown[]): Promise<{ text: string; values: unknown[] }> {
    const tables = new Map<string, Rows>();
    for (const [, table, alias] of sql.matchAll(/\b(?:FROM|JOIN|UPDATE) ([a-z_]+)(?: ([a-z])\b)?/g))
      tables.set(alias ?? (table as string), await this.sampleOf(table as string));
    const known = (alias: string | undefined, column: string): unknown[] => {
      const rows = alias === undefined ? [...tables.values()].flat() : (tables.get(alias) ?? []);
      return [...new Set(rows.map((row) => row[column]))].filter((value) => value != null);
    };
    const values: unknown[] = [];
    let position = 0;
    const text = sql.replace(comparison, (all, alias: string | undefined, column = '', operator = '', rest = '') => {
      const given = recorded.slice(position, (position += 1 + (rest as string).split('?').length - 1));
      const found = known(alias, column as string);
      if (found.length === 0) {
        values.push(...given);
        return all;
      }
      const chosen = operator === 'IN (' ? found.slice(0, lengthOfList) : [oneFor(operator as string, found)];
      values.push(...chosen);
      return all.slice(0, all.indexOf('?')) + chosen.map(() => '?').join(', ');
    });
    return { text, values };
  }

  private sampleOf(table: string): Promise<Rows> {
    const sample = this.samples.get(table) ?? sampleOf(this.connection, table);
    this.samples.set(table, sample);
    return sample;
  }
}

/** The text between two values is part of the sample, and a row equal to it a third one. */
function oneFor(operator: string, found: readonly unknown[]): unknown {
  if (operator.startsWith('<')) return found.at(-1);
  return operator.startsWith('>') ? found[0] : found[Math.floor(found.length / 2)];
}

interface ExplainedTable {
  readonly table_name?: string;
  readonly access_type?: string;
  readonly key?: string;
  readonly used_key_parts?: readonly string[];
  readonly message?: string;
}

function linesOf(plan: unknown): string[] {
  if (typeof plan !== 'object' || plan === null) return [];
  return Object.entries(plan).flatMap(([member, value]) => {
    const below = linesOf(value);
    if (member === 'table') return [lineOf(value as ExplainedTable), ...below];
    return member === 'filesort' || member === 'temporary_table' ? [member.replace('_', ' '), ...below] : below;
  });
}

function lineOf({ table_name: table, access_type: type, key, used_key_parts: parts, message }: ExplainedTable): string {
  if (message !== undefined) return message;
  return `${table}: ${type}${key === undefined ? '' : ` ${key} (${parts?.join(', ')})`}`;
}
