import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import type { RunningApp } from './start-app.js';

type Controller = new (...args: never[]) => object;

/** `METHOD /path` of every route that a controller makes, to the name of its guard, `everyone`, or undefined. */
export function accessOfRoutes(running: RunningApp): Map<string, string | undefined> {
  return new Map(controllersOf(running).flatMap(routesOf));
}

function controllersOf({ nest }: RunningApp): Controller[] {
  return [...nest.get(ModulesContainer).values()].flatMap((module) =>
    [...module.controllers.values()].map(({ metatype }) => metatype as Controller),
  );
}

function routesOf(controller: Controller): [string, string | undefined][] {
  const prefixes = [Reflect.getMetadata(PATH_METADATA, controller) as string | string[]].flat();
  const prototype = controller.prototype as Record<string, unknown>;
  return Object.getOwnPropertyNames(prototype).flatMap((name): [string, string | undefined][] => {
    const handler = prototype[name];
    if (typeof handler !== 'function' || !Reflect.hasMetadata(METHOD_METADATA, handler)) return [];
    const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number];
    const path = Reflect.getMetadata(PATH_METADATA, handler) as string;
    const access = (Reflect.getMetadata('rollcall:access', handler) ??
      Reflect.getMetadata('rollcall:access', controller)) as string | { name: string } | undefined;
    const who = typeof access === 'object' || typeof access === 'function' ? access.name : access;
    return prefixes.map((prefix) => [`${method} ${[prefix, path].map(segment).join('')}`, who]);
  });
}

function segment(path: string): string {
  const trimmed = path.replace(/^\/|\/$/g, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}
