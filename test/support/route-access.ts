import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import type { RunningApp } from './start-app.js';

/** Orders routes so that the first ones read and the last ones delete, and each call finds something. */
const order = ['HEAD', 'GET', 'PATCH', 'POST', 'PUT', 'DELETE'];

/** Every route of the running service that concerns an app or shows the state of the service, with its guard. */
export function guardedRoutes(running: RunningApp): { route: string; access: string }[] {
  const access = accessOfRoutes(running);
  return running.routes.routes
    .map(({ method, url }) => `${method} ${url}`)
    .filter((route) => !isIndependentOfApps(route))
    .map((route) => ({ route, access: access.get(route) ?? access.get(route.replace('HEAD', 'GET')) ?? 'nobody' }))
    .sort((one, other) => placeOf(one.route) - placeOf(other.route));
}

/** Whether a route is another spelling of one under a different prefix, which the document shows once, with a note. */
export function isTwinRoute(route: string): boolean {
  return / \/(app-id\/|api\/v2\/(?!(sdk|rest)\/))/.test(route);
}

function placeOf(route: string): number {
  return order.indexOf(route.split(' ', 1)[0] as string);
}

/** Preflights are answered on every path and read nothing; the documents are files that are the same for everyone. */
function isIndependentOfApps(route: string): boolean {
  return route === 'OPTIONS *' || / \/docs(\/|$)/.test(route);
}

type Controller = new (...args: never[]) => object;

/** Maps `METHOD /path` of every controller route to the name of its guard, `everyone`, or undefined. */
export function accessOfRoutes(running: RunningApp): Map<string, string | undefined> {
  return new Map(describedRoutes(running).map(({ route, access }) => [route, access]));
}

/** `METHOD /path` of every route that takes an Idempotency-Key. */
export function idempotentRoutes(running: RunningApp): Set<string> {
  return new Set(describedRoutes(running).flatMap(({ route, idempotent }) => (idempotent ? route : [])));
}

interface DescribedRoute {
  readonly route: string;
  readonly access: string | undefined;
  readonly idempotent: boolean;
}

function describedRoutes(running: RunningApp): DescribedRoute[] {
  return controllersOf(running).flatMap(routesOf);
}

function controllersOf({ nest }: RunningApp): Controller[] {
  return [...nest.get(ModulesContainer).values()].flatMap((module) =>
    [...module.controllers.values()].map(({ metatype }) => metatype as Controller),
  );
}

function routesOf(controller: Controller): DescribedRoute[] {
  const prefixes = [Reflect.getMetadata(PATH_METADATA, controller) as string | string[]].flat();
  const prototype = controller.prototype as Record<string, unknown>;
  return Object.getOwnPropertyNames(prototype).flatMap((name): DescribedRoute[] => {
    const handler = prototype[name];
    if (typeof handler !== 'function' || !Reflect.hasMetadata(METHOD_METADATA, handler)) return [];
    const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number];
    const path = Reflect.getMetadata(PATH_METADATA, handler) as string;
    const access = (Reflect.getMetadata('rollcall:access', handler) ??
      Reflect.getMetadata('rollcall:access', controller)) as string | { name: string } | undefined;
    const guardName = typeof access === 'object' || typeof access === 'function' ? access.name : access;
    const config = Reflect.getMetadata('__fastify_route_config__', handler) as { idempotent?: boolean } | undefined;
    return prefixes.map((prefix) => ({
      route: `${method} ${[prefix, path].map(segment).join('')}`,
      access: guardName,
      idempotent: config?.idempotent === true,
    }));
  });
}

function segment(path: string): string {
  const trimmed = path.replace(/^\/|\/$/g, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}
