import type { LoggerService } from '@nestjs/common';
import { type Logger, pino } from 'pino';
import type { LogLevel } from '../config/env.js';
import type { LogDestination } from './log-destination.js';
import { serializeError } from './serialize-error.js';

/** The process's logger: one JSON line per event. No member may contain a secret. */
export function createLogger(level: LogLevel, destination: LogDestination): Logger {
  return pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: serializeError },
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: ['req.headers', 'authorization', 'password', 'newpassword', 'token', 'access_token', 'client_secret'],
        censor: '[redacted]',
      },
    },
    destination,
  );
}

/** Parts of Nest that log what they then throw; whoever catches it logs it once. The bundle adds the `_` to a name. */
const alsoThrown = /^_?(ExceptionHandler|NestApplication)$/;

/** Passes Nest's own messages, and those of its `Logger`, to pino. */
export class PinoLogger implements LoggerService {
  constructor(private readonly pino: Logger) {}

  log(message: unknown, context?: string): void {
    this.pino.debug({ context }, String(message));
  }

  warn(message: unknown, context?: string): void {
    this.pino.warn({ context }, String(message));
  }

  error(message: unknown, ...details: unknown[]): void {
    const context = details.at(-1);
    const err = message instanceof Error ? message : details.find((detail) => detail instanceof Error);
    const [stack] = details.length > 1 ? details : [];
    const level = alsoThrown.test(String(context)) ? 'debug' : 'error';
    this.pino[level]({ context, err, stack: typeof stack === 'string' ? stack : undefined }, String(message));
  }

  fatal(message: unknown, context?: string): void {
    this.pino.fatal({ context }, String(message));
  }

  debug(message: unknown, context?: string): void {
    this.pino.debug({ context }, String(message));
  }

  verbose(message: unknown, context?: string): void {
    this.pino.trace({ context }, String(message));
  }
}
