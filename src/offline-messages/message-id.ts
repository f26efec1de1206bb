/** Message ids are sent as decimal text: the vendors' are too long for an exact JSON number. */
export function writeMessageId(id: number): string {
  return String(id);
}

/** The id a client sent, or null for text that cannot be one. */
export function readMessageId(text: string): number | null {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(id) ? id : null;
}
