import { Injectable } from '@nestjs/common';

/** Whether this node wants requests. A node that is going away says no first and goes on answering for a while. */
@Injectable()
export class Readiness {
  #draining = false;

  get draining(): boolean {
    return this.#draining;
  }

  startDraining(): void {
    this.#draining = true;
  }
}
