import { Injectable } from '@nestjs/common';

/** What watches over a node goes on asking it, whether or not anybody still sends requests there. */
const watching = /^\/(health|metrics)\b/;

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
    if (!watching.test(url)) this.#lateRequests += 1;
  }
}
