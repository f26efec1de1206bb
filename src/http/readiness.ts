import { Injectable } from '@nestjs/common';

/** Whether a request is from monitoring, which continues when nobody else sends requests to the node. */
export function isWatching(url: string): boolean {
  return /^\/(health|metrics)(?:[/?]|$)/.test(url);
}

/** Whether this node wants requests. A stopping node first reports "not ready" and keeps serving for a while. */
@Injectable()
export class Readiness {
  #draining = false;
  #lateRequests = 0;

  get draining(): boolean {
    return this.#draining;
  }

  /** Requests that came after the node reported "not ready". */
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
