import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { pino } from 'pino';
import { createHttpApplication } from '../http-application.js';
import { describeApi } from '../api/operations/api-documents.js';
import { dialects } from '../dialects.js';
import { loadEnv } from '../config/env.js';

export function addOpenapiCommand(program: Command): void {
  program
    .command('openapi')
    .option('--out <folder>', 'where to write', 'docs/api')
    .description('write the OpenAPI document of the routes')
    .action(async ({ out }: { out: string }) => {
      const env = loadEnv({ DATABASE_URL: 'sqlite::memory:' });
      const { app } = await createHttpApplication(env, pino({ level: 'silent' }));
      await mkdir(out, { recursive: true });
      await writeFile(join(out, 'openapi.json'), `${JSON.stringify(describeApi(app, dialects), null, 2)}\n`);
      await app.close();
    });
}
