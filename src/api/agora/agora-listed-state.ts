import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors/app-error.js';
import { describedParameter } from '../../http/described-parameter.js';
import type { ListedState as State } from '../../users/bans.service.js';

const states: Readonly<Record<string, State>> = { banned: 'active', ban_planned: 'planned' };

const readState = createParamDecorator((_data: unknown, context: ExecutionContext): State | null => {
  const { state } = context.switchToHttp().getRequest<FastifyRequest>().query as Record<string, unknown>;
  if (state === undefined || state === '') return null;
  const known = typeof state === 'string' && Object.hasOwn(states, state) ? states[state] : undefined;
  if (known === undefined) throw new AppError('argument_invalid', { detail: 'state must be banned or ban_planned' });
  return known;
});

/** Injects which users a list is limited to; null: all. */
export const ListedState = (): ParameterDecorator =>
  describedParameter(
    readState(),
    ApiQuery({
      name: 'state',
      required: false,
      enum: Object.keys(states),
      description: 'Only users who are banned, or whose ban is planned: each with its `ban`',
    }),
  );
