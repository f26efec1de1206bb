const maxMarksOfNode = 4_000;

/**
 * The acks and reads of all this node's sessions that are not stored yet. An app may use as much room as is left for
 * others, so a flooding app leaves half of it.
 */
export class MarksUnderWay {
  private total = 0;
  private readonly ofApps = new Map<string, number>();

  add(appId: string): void {
    this.total += 1;
    this.ofApps.set(appId, this.of(appId) + 1);
  }

  remove(appId: string): void {
    this.total -= 1;
    const left = this.of(appId) - 1;
    if (left > 0) this.ofApps.set(appId, left);
    else this.ofApps.delete(appId);
  }

  /** Whether the app has used up its share. */
  isFull(appId: string): boolean {
    return this.of(appId) >= maxMarksOfNode - this.total;
  }

  private of(appId: string): number {
    return this.ofApps.get(appId) ?? 0;
  }
}
