import type { DocumentBuilder } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../clock/clock.js';
import type { AppError } from '../errors/app-error.js';

export interface RenderedError {
  readonly status: number;
  readonly body: object;
}

/** Failures without a request, because what arrived never became one. */
export type ErrorWithoutRequest = 'head_too_large' | 'request_malformed' | 'request_timeout' | 'target_too_long';

/** How a vendor's API looks where no controller is involved. */
export interface Dialect {
  /** A path of this dialect that no route matches. */
  readonly nowhere: string;
  renderError(error: AppError, request: FastifyRequest): RenderedError;
  /** Adds the dialect's authentication to the API document. */
  describeSecurity(document: DocumentBuilder): DocumentBuilder;
}

/** A dialect that owns certain paths, whether or not there is a route. */
export interface OwningDialect extends Dialect {
  owns(url: string): boolean;
}

/** The dialect for every path that no other one owns, and for failures without a path. */
export interface DefaultDialect extends Dialect {
  renderErrorWithoutRequest(code: ErrorWithoutRequest, clock: Clock): RenderedError;
}

/** All dialects. */
export class Dialects {
  constructor(
    private readonly fallback: DefaultDialect,
    private readonly others: readonly OwningDialect[],
  ) {}

  of(url: string): Dialect {
    return this.others.find((dialect) => dialect.owns(url)) ?? this.fallback;
  }

  renderErrorWithoutRequest(code: ErrorWithoutRequest, clock: Clock): RenderedError {
    return this.fallback.renderErrorWithoutRequest(code, clock);
  }

  describeSecurity(document: DocumentBuilder): DocumentBuilder {
    // The API page focuses the field of the last scheme.
    return [...this.others, this.fallback].reduce(
      (described, dialect) => dialect.describeSecurity(described),
      document,
    );
  }
}
