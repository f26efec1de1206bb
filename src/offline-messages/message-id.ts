/** Message ids go out as decimal text: the vendors' are longer than a JSON number can hold exactly. */
export function writeMessageId(id: number): string {
  return String(id);
}

/** The id that a client means, or null for text that cannot be one. */
export function readMessageId(text: string): number | null {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(id) ? id : null;
}
