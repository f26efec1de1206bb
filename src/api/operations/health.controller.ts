import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Database } from '../../database/database.js';
import { RedisService } from '../../redis/redis.service.js';
import { OpenToEveryone } from '../access.guard.js';
import { Readiness } from './readiness.js';

@ApiTags('operations')
@Controller('health')
@OpenToEveryone()
export class HealthController {
  constructor(
    private readonly database: Database,
    private readonly redis: RedisService,
    private readonly readiness: Readiness,
  ) {}

  /** The process answers. Restart it when this fails. */
  @Get('live')
  @ApiOperation({ summary: 'The process answers' })
  live() {
    return { status: 'ok' };
  }

  /** Requests should be sent here: the database answers and the node is not going away. */
  @Get('ready')
  @ApiOperation({ summary: 'Requests should be sent here' })
  @ApiResponse({ status: 503, description: 'The database is away, or the node is going away' })
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const database = await this.database.ping().then(
      () => 'up',
      () => 'down',
    );
    const ready = database === 'up' && !this.readiness.draining;
    if (!ready) void reply.status(503).header('retry-after', '1');
    return {
      status: ready ? 'ok' : 'unavailable',
      database,
      // Not a condition: without Redis the node goes on by itself.
      redis: !this.redis.enabled ? 'not configured' : this.redis.available ? 'up' : 'down',
      draining: this.readiness.draining,
    };
  }
}
