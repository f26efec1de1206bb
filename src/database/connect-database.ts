import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import { type ConnectionOptions, createConnection, type SslOptions } from 'mysql2/promise';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { isRefusal, type MysqlOptions, refusalOf } from './database-refused.js';
import { createMissingSqliteFile } from './sqlite-file.js';

const pauseMs = 1_000;

/** Connects, retrying an unreachable server `attempts` times, a second apart. @throws DatabaseRefused */
export async function connectDatabase(
  options: DataSourceOptions,
  logger: Logger,
  attempts: number,
): Promise<DataSource> {
  try {
    if (options.type === 'mysql') await waitForServer(options, logger, attempts);
    else createMissingSqliteFile(options.database as string);
    return await new DataSource(options).initialize();
  } catch (error) {
    throw refusalOf(error, options);
  }
}

/** Uses its own connection: TypeORM's pool would wait for ever to close one to a server that never answered. */
async function waitForServer(options: MysqlOptions, logger: Logger, attempts: number): Promise<void> {
  const { host, port, username: user, password, database, connectTimeout } = options;
  const ssl = options.ssl as SslOptions | undefined;
  const settings: ConnectionOptions = { host, port, user, password, database, connectTimeout, ssl };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const connection = await createConnection(settings);
      connection.destroy();
      return;
    } catch (error) {
      if (isRefusal(error) || attempt === attempts) throw error;
      const { message, code } = error as NodeJS.ErrnoException;
      logger.warn(`${host}:${port} cannot be reached: ${message || code}. Retrying (${attempt} of ${attempts - 1})`);
      await sleep(pauseMs);
    }
  }
}
