import { Controller, Get, Header, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { Env } from '../../config/env.js';
import { AppError } from '../../errors/app-error.js';
import { OpenToEveryone } from '../../http/access.guard.js';
import { bearerOf } from '../../http/bearer.js';
import { Metrics } from './metrics.service.js';

@ApiTags('operations')
@Controller('metrics')
@OpenToEveryone()
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly env: Env,
  ) {}

  /** Prometheus text. Open unless METRICS_TOKEN is set, which is then required as Bearer. */
  @Get()
  @ApiOperation({ summary: 'Get the metrics in the Prometheus format' })
  @ApiOkResponse({ content: { 'text/plain': { schema: { type: 'string' } } } })
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  async text(@Req() request: FastifyRequest): Promise<string> {
    const { metricsToken } = this.env;
    if (metricsToken !== null && !timingSafeEqual(digest(bearerOf(request)), digest(metricsToken)))
      throw new AppError('token_not_accepted');
    return this.metrics.text();
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
