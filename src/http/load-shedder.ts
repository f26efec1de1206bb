import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import type { ErrorFilter } from './error.filter.js';
import { isWatching } from './readiness.js';

/**
 * How many requests are worked on at once. At a fifth of a millisecond of the event loop for each, the last of them
 * waits for a fifth of a second; one more would only make all of them later. Not fewer: to refuse costs a third of what
 * it costs to serve, and who is refused asks again, while who waits asks for nothing.
 */
export const maxUnderWay = 1_000;
/**
 * How many requests begin in one turn of the event loop. Where the work is done at once, as with SQLite, requests never
 * pile up behind it: they lie in their sockets, and one turn would serve all of them before it looks at anybody else.
 */
const maxBegins = 128;
const retryAfterMs = 1_000;

/**
 * Refuses what comes while too much is under way, so that what was let in is still answered in time. It counts requests
 * and not the delay of the event loop: a delay is known when it is over, and refusing by it goes from all to none and
 * back.
 */
export class LoadShedder {
  private underWay = 0;
  /** In this turn; while it is not 0, the next turn is expected. */
  private begun = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly filter: ErrorFilter) {}

  /**
   * A place is taken when a request is there as a whole and given back when its answer is ready: whoever sends or reads
   * slowly holds none. What they do hold is bounded elsewhere (docs/operations.md).
   */
  guard(fastify: FastifyInstance): void {
    fastify.addHook('preValidation', (request: FastifyRequest, reply: FastifyReply, done) => {
      // Whoever watches over this node must not take it for dead when it is busy.
      if (isWatching(request.url)) {
        done();
        return;
      }
      if (this.underWay >= maxUnderWay) {
        this.filter.answer(new AppError('overloaded', { retryAfterMs }), request, reply);
        return;
      }
      this.underWay += 1;
      request.rollcall.holdsPlace = true;
      if (this.begun >= maxBegins) {
        this.waiting.push(done);
        return;
      }
      if (this.begun === 0) this.expectTurn();
      this.begun += 1;
      done();
    });
    // Comes for each answer, also where the caller has gone; a second time where the first one could not be sent.
    fastify.addHook('onSend', ({ rollcall }, _reply, _payload, done) => {
      if (rollcall.holdsPlace) {
        rollcall.holdsPlace = false;
        this.underWay -= 1;
      }
      done();
    });
  }

  private expectTurn(): void {
    setImmediate(() => {
      const due = this.waiting.splice(0, maxBegins);
      this.begun = due.length;
      if (due.length > 0) this.expectTurn();
      for (const begin of due) begin();
    });
  }
}
