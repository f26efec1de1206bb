import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector, type ModuleRef } from '@nestjs/core';
import { FixedClock } from '../../test/support/fixed-clock.js';
import type { App } from '../apps/app.js';
import { MemoryRateLimitStore } from '../rate-limit/memory-rate-limit.store.js';
import { RateLimit } from '../rate-limit/rate-limit.decorator.js';
import { RateLimits } from '../rate-limit/rate-limits.service.js';
import { AccessBy, AccessGuard, OpenToEveryone } from './access.guard.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { RouteMemory } from './route-memory.js';

@Injectable()
class NobodyGuard implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

abstract class Inherited {
  list(): string {
    return 'all';
  }
}

@OpenToEveryone()
@RateLimit(2)
class OpenController extends Inherited {}

@AccessBy(NobodyGuard)
@RateLimit(3)
class ClosedController extends Inherited {}

const app = { id: 'a1', settings: { rate_profile: 'agora' } } as App;

/** A call of the handler that both controllers inherit. */
function callOf(controller: new () => Inherited): ExecutionContext {
  const headers: Record<string, unknown> = {};
  return {
    getClass: () => controller,
    getHandler: () => controller.prototype.list as () => string,
    switchToHttp: () => ({
      getRequest: () => ({ rollcall: { app } }),
      getResponse: () => ({ header: (name: string, value: unknown) => (headers[name] = value) }),
    }),
  } as unknown as ExecutionContext;
}

describe('two controllers that inherit one handler', () => {
  it('each keep their own guard, whichever is called first', () => {
    const guards = { get: () => new NobodyGuard() } as unknown as ModuleRef;
    for (const order of [
      [OpenController, ClosedController],
      [ClosedController, OpenController],
    ]) {
      const guard = new AccessGuard(new Reflector(), guards);
      const admitted = Object.fromEntries(order.map((one) => [one.name, guard.canActivate(callOf(one))]));
      expect(admitted).toEqual({ OpenController: true, ClosedController: false });
    }
  });

  it('each keep their own limit', async () => {
    const guard = new RateLimitGuard(new RateLimits(new MemoryRateLimitStore(new FixedClock())), new Reflector());
    const admitted = async (controller: new () => Inherited) => {
      const calls = await Promise.allSettled(
        Array.from({ length: 9 }, async () => guard.canActivate(callOf(controller))),
      );
      return calls.filter(({ status }) => status === 'fulfilled').length;
    };
    expect([await admitted(OpenController), await admitted(ClosedController)]).toEqual([2, 3]);
  });
});

describe('RouteMemory', () => {
  it('looks each route up once, and again after a failure', () => {
    const asked: string[] = [];
    const memory = new RouteMemory((context) => {
      asked.push(context.getClass().name);
      if (asked.length === 1) throw new Error('not yet');
      return null;
    });
    expect(() => memory.of(callOf(OpenController))).toThrow('not yet');
    for (const controller of [OpenController, OpenController, ClosedController, ClosedController])
      expect(memory.of(callOf(controller))).toBeNull();
    expect(asked).toEqual(['OpenController', 'OpenController', 'ClosedController']);
  });
});
