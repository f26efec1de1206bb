/** What one app may have handled in one turn of the event loop, in bytes of frames: about half a millisecond. */
const bytesPerTurn = 64 * 1024;
/** What a frame costs however short it is, in bytes. */
const bytesPerFrame = 1_024;

interface Frame {
  readonly bytes: number;
  readonly handle: () => void;
}

interface AppFrames {
  usedBytes: number;
  waiting: Frame[];
}

/**
 * Apps take turns: what an app sends beyond its share of a turn of the event loop is handled in the next ones, in its
 * order, so that a flood of one app delays that app.
 */
export class FrameTurns {
  private readonly apps = new Map<string, AppFrames>();
  private scheduled = false;

  /** Handles a frame. @returns whether that is done; otherwise it is in one of the next turns */
  take(appId: string, length: number, handle: () => void): boolean {
    let app = this.apps.get(appId);
    if (app === undefined) this.apps.set(appId, (app = { usedBytes: 0, waiting: [] }));
    const frame = { bytes: length + bytesPerFrame, handle };
    this.schedule();
    if (app.waiting.length > 0 || app.usedBytes >= bytesPerTurn) {
      app.waiting.push(frame);
      return false;
    }
    run(app, frame);
    return true;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.turn());
  }

  private turn(): void {
    this.scheduled = false;
    for (const [appId, app] of this.apps) {
      if (app.waiting.length === 0) {
        this.apps.delete(appId);
        continue;
      }
      app.usedBytes = 0;
      let done = 0;
      for (; done < app.waiting.length && app.usedBytes < bytesPerTurn; done += 1) run(app, app.waiting[done] as Frame);
      app.waiting.splice(0, done);
      this.schedule();
    }
  }
}

function run(app: AppFrames, { bytes, handle }: Frame): void {
  app.usedBytes += bytes;
  handle();
}
