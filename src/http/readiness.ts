import { Injectable } from '@nestjs/common';

/** Whether a request is of what watches over a node, and goes on asking it when nobody sends requests there. */
export function isWatching(url: string): boolean {
  return /^\/(health|metrics)(?:[/?]|$)/.test(url);
}

/** Whether this node wants requests. A node that is going away says no first and goes on answering for a while. */
@Injectable()
export class Readiness {
  #draining = false;
  #lateRequests = 0;

  get draining(): boolean {
    return this.#draining;
  }

  /** Requests that came since the node said no. */
  get lateRequests(): number {
    return this.#lateRequests;
  }

  startDraining(): void {
    this.#draining = true;
  }

  countLateRequest(url: string): void {
    if (!isWatching(url)) this.#lateRequests += 1;
  }
}
