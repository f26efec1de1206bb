import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { DatabaseHealth } from '../../database/database-health.js';
import { RedisService } from '../../redis/redis.service.js';
import { OpenToEveryone } from '../../http/access.guard.js';
import { Readiness } from '../../http/readiness.js';

const oneOf = (...words: string[]) => ({ type: 'string', enum: words });
const readiness = {
  type: 'object',
  properties: {
    status: oneOf('ok', 'unavailable'),
    database: oneOf('up', 'down', 'refuses writes'),
    redis: oneOf('not configured', 'up', 'down'),
    draining: { type: 'boolean' },
  },
  required: ['status', 'database', 'redis', 'draining'],
};

@ApiTags('operations')
@Controller('health')
@OpenToEveryone()
export class HealthController {
  constructor(
    private readonly databaseHealth: DatabaseHealth,
    private readonly redis: RedisService,
    private readonly readiness: Readiness,
  ) {}

  /** Liveness: the process answers. Restart it if this fails. */
  @Get('live')
  @ApiOperation({ summary: 'Check that the process responds' })
  @ApiOkResponse({
    schema: { type: 'object', properties: { status: { type: 'string', enum: ['ok'] } }, required: ['status'] },
  })
  live() {
    return { status: 'ok' };
  }

  /** Ready for traffic: the database answers and accepts writes, and the node is not draining. */
  @Get('ready')
  @ApiOperation({ summary: 'Check that the node accepts requests' })
  @ApiOkResponse({ schema: readiness })
  @ApiResponse({
    status: 503,
    description: 'The database is unavailable or read-only, or the node is shutting down',
    schema: readiness,
  })
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const database = await this.databaseHealth.look();
    const ready = database === 'up' && !this.readiness.draining;
    if (!ready) void reply.status(503).header('retry-after', '1');
    return {
      status: ready ? 'ok' : 'unavailable',
      database,
      // Not a condition: without Redis the node continues on its own.
      redis: !this.redis.enabled ? 'not configured' : this.redis.available ? 'up' : 'down',
      draining: this.readiness.draining,
    };
  }
}
