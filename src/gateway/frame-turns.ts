/** Bytes of frames handled per app in one turn of the event loop: about half a millisecond. */
const bytesPerTurn = 64 * 1024;
/** Fixed cost of a frame, in bytes. */
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
 * Apps take turns: frames beyond an app's share of an event-loop turn are handled in later turns, in order, so that a
 * flooding app delays only itself.
 */
export class FrameTurns {
  private readonly apps = new Map<string, AppFrames>();
  private scheduled = false;

  /** Handles a frame. @returns whether it was handled now; otherwise it is handled in a later turn */
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
