/** Whether this controls a transaction or a connection, or checks that the database is there. */
export function isControl(sql: string): boolean {
  return /^(?!SELECT|INSERT|UPDATE|DELETE)|^SELECT 1$/.test(sql);
}

/** On one line, with single spaces and unquoted identifiers. */
export function onOneLine(sql: string): string {
  return sql.replace(/\s+/g, ' ').replaceAll(/[`"]/g, '').trim();
}

/** The statement with only the first part of a UNION ALL, if the others differ from it in nothing but a number. */
export function withoutRepeatedParts(sql: string): string {
  const parts = sql.split(' UNION ALL ');
  const names = parts.map((part) => part.replace(/\d+/g, ''));
  return parts.filter((_part, index) => names.indexOf(names[index] as string) === index).join(' UNION ALL ');
}

/** The common form of statements that differ only in the lengths of their lists, in either engine's notation. */
export function textOf(sql: string): string {
  return withoutRepeatedParts(onOneLine(sql))
    .replace(/\bIN \((\?(, \?)*|SELECT value FROM json_each\(\?\))\)/g, 'IN (?…)')
    .replace(/\bVALUES \([?, \d]*\)(, \([?, \d]*\))*/g, 'VALUES (?…)');
}
