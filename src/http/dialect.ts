import type { DocumentBuilder } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../clock/clock.js';
import type { AppError } from '../errors/app-error.js';

export interface RenderedError {
  readonly status: number;
  readonly body: object;
}

/** What a failure may be that has no request, because what arrived never became one. */
export type ErrorWithoutRequest = 'head_too_large' | 'request_malformed' | 'request_timeout' | 'target_too_long';

/** How one vendor's API looks wherever no controller is involved. */
export interface Dialect {
  /** Whether a path belongs to this dialect, whether or not there is a route. */
  owns(url: string): boolean;
  /** A path of this dialect that no route has. */
  readonly nowhere: string;
  renderError(error: AppError, request: FastifyRequest): RenderedError;
  /** Adds to the API document what its callers authenticate with. */
  describeSecurity(document: DocumentBuilder): DocumentBuilder;
}

/** The dialect that answers for every path that no other one owns, and where there is no path at all. */
export interface DefaultDialect extends Dialect {
  renderErrorWithoutRequest(code: ErrorWithoutRequest, clock: Clock): RenderedError;
}

/** All of them; the first that owns a path answers. */
export class Dialects {
  private readonly all: readonly Dialect[];

  constructor(
    others: readonly Dialect[],
    private readonly fallback: DefaultDialect,
  ) {
    this.all = [...others, fallback];
  }

  of(url: string): Dialect {
    return this.all.find((dialect) => dialect.owns(url)) ?? this.fallback;
  }

  renderErrorWithoutRequest(code: ErrorWithoutRequest, clock: Clock): RenderedError {
    return this.fallback.renderErrorWithoutRequest(code, clock);
  }

  describeSecurity(document: DocumentBuilder): DocumentBuilder {
    return this.all.reduce((described, dialect) => dialect.describeSecurity(described), document);
  }
}
