/** Message ids leave as decimal text: vendors' are longer than a JSON number holds exactly. */
export function writeMessageId(id: number): string {
  return String(id);
}

/** The id that a client means, or null for text that was never one. */
export function readMessageId(text: string): number | null {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(id) ? id : null;
}
