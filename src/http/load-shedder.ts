import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import type { ErrorFilter } from './error.filter.js';
import { isWatching } from './readiness.js';

/**
 * How many requests are in progress at once. At a fifth of a millisecond of event loop time each, the last one waits
 * for a fifth of a second; one more would only delay all of them. Not fewer: refusing costs a third of serving, and a
 * refused caller asks again while a waiting one does not.
 */
export const maxUnderWay = 1_000;
/**
 * How many requests start in one turn of the event loop. If the work is done synchronously, as with SQLite, requests
 * never pile up behind it: they wait in their sockets, and one turn would serve all of them before anything else.
 */
const maxBegins = 128;
const retryAfterMs = 1_000;

/**
 * Refuses requests when too many are in progress, so that admitted ones are still answered in time. It counts requests
 * rather than measuring event loop delay: a delay is known only when it is over, and acting on it would alternate
 * between refusing everything and nothing.
 */
export class LoadShedder {
  private underWay = 0;
  /** Started in this turn; while it is not 0, a reset is scheduled for the next one. */
  private begun = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly filter: ErrorFilter) {}

  /**
   * A request takes a slot once it is complete and returns it when its answer is ready, so slow senders and readers
   * hold none. What they do hold is bounded elsewhere (docs/operations.md).
   */
  guard(fastify: FastifyInstance): void {
    fastify.addHook('preValidation', (request: FastifyRequest, reply: FastifyReply, done) => {
      // A busy node must not look dead to its health checks.
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
    // Called for every answer, even if the caller has gone; twice if the first answer could not be sent.
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
