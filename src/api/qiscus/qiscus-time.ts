const second = /^(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})$/;

/** `YYYY-MM-DD hh:mm:ss` in UTC as Unix milliseconds, or null: it is not such a time. */
export function parseSecond(text: string): number | null {
  if (!second.test(text)) return null;
  const iso = `${text.replace(' ', 'T')}.000Z`;
  const ms = Date.parse(iso);
  // The engine takes the 31st of February for the 3rd of March.
  return Number.isNaN(ms) || new Date(ms).toISOString() !== iso ? null : ms;
}

/** Unix milliseconds as RFC 3339 with six digits, as the vendor's documents show it. */
export function toQiscusTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
