const second = /^(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})$/;

/** Parses `YYYY-MM-DD hh:mm:ss` in UTC to Unix milliseconds; null for anything else. */
export function parseSecond(text: string): number | null {
  if (!second.test(text)) return null;
  const iso = `${text.replace(' ', 'T')}.000Z`;
  const ms = Date.parse(iso);
  // The JavaScript engine reads February 31 as March 3.
  return Number.isNaN(ms) || new Date(ms).toISOString() !== iso ? null : ms;
}

/** Unix milliseconds as RFC 3339 with six fractional digits, as the vendor's documents show it. */
export function toQiscusTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
