/** Whether this controls a transaction or a connection, or asks whether the database is there. */
export function isControl(sql: string): boolean {
  return /^(?!SELECT|INSERT|UPDATE|DELETE)|^SELECT 1$/.test(sql);
}

/** One line, with one blank between two words and without quotes of names. */
export function onOneLine(sql: string): string {
  return sql.replace(/\s+/g, ' ').replaceAll(/[`"]/g, '').trim();
}

/** The statement with the first part of a UNION ALL alone, where the others differ from it by nothing but a number. */
export function withoutRepeatedParts(sql: string): string {
  const parts = sql.split(' UNION ALL ');
  const names = parts.map((part) => part.replace(/\d+/g, ''));
  return parts.filter((_part, index) => names.indexOf(names[index] as string) === index).join(' UNION ALL ');
}

/** What two statements have in common that differ by the lengths of their lists only, however an engine writes a list. */
export function textOf(sql: string): string {
  return withoutRepeatedParts(onOneLine(sql))
    .replace(/\bIN \((\?(, \?)*|SELECT value FROM json_each\(\?\))\)/g, 'IN (?…)')
    .replace(/\bVALUES \([?, \d]*\)(, \([?, \d]*\))*/g, 'VALUES (?…)');
}
