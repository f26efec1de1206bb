import type { ExecutionContext } from '@nestjs/common';

/**
 * A value computed once per route. A route is a handler of a controller, never the handler alone: two controllers that
 * inherit a handler share its function, but each may have its own guard and limit.
 */
export class RouteMemory<Value extends object | string | null> {
  private readonly controllers = new WeakMap<object, WeakMap<object, Value>>();

  constructor(private readonly find: (context: ExecutionContext) => Value) {}

  /** If `find` throws, nothing is cached. */
  of(context: ExecutionContext): Value {
    const handlers = this.handlersOf(context.getClass());
    const handler = context.getHandler();
    let value = handlers.get(handler);
    if (value === undefined) handlers.set(handler, (value = this.find(context)));
    return value;
  }

  private handlersOf(controller: object): WeakMap<object, Value> {
    let handlers = this.controllers.get(controller);
    if (handlers === undefined) this.controllers.set(controller, (handlers = new WeakMap()));
    return handlers;
  }
}
