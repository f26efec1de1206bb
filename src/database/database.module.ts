import { createRequire } from 'node:module';
import { type DynamicModule, Global, Logger, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type BetterSqlite3 from 'better-sqlite3';
import type { Pool } from 'mysql2';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { Env } from '../config/env.js';
import { connectDatabase } from './connect-database.js';
import { CostlyReads } from './costly-reads.js';
import { DatabaseHealth } from './database-health.js';
import { refusalOf } from './database-refused.js';
import { Database } from './database.js';
import { migrate } from './migrate.js';
import { MysqlDatabase } from './mysql-database.js';
import { SqliteDatabase } from './sqlite-database.js';

const attemptsAtStart = 10;

/** Connects, migrates, and only then makes the database available. */
@Global()
@Module({})
export class DatabaseModule {
  static forRoot(options: DataSourceOptions): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          // `connectDatabase` does the retrying: Nest's would retry even after a wrong password.
          useFactory: () => ({ ...options, toRetry: () => false }),
          dataSourceFactory: () => connectDatabase(options, new Logger('Database'), attemptsAtStart),
        }),
      ],
      providers: [
        CostlyReads,
        DatabaseHealth,
        {
          provide: Database,
          inject: [DataSource, Env],
          useFactory: async (dataSource: DataSource, env: Env): Promise<Database> => {
            try {
              await migrate(dataSource);
              return openDatabase(dataSource, env);
            } catch (error) {
              throw refusalOf(error, dataSource.options);
            }
          },
        },
      ],
      exports: [CostlyReads, Database, DatabaseHealth],
    };
  }
}

function openDatabase(dataSource: DataSource, env: Env): Database {
  if (dataSource.options.type === 'better-sqlite3') {
    const path = dataSource.options.database;
    const { databaseConnection } = dataSource.driver as unknown as { databaseConnection: BetterSqlite3.Database };
    return new SqliteDatabase(databaseConnection, path === ':memory:' ? null : openReader(path));
  }
  const { pool } = dataSource.driver as unknown as { pool: Pool };
  // Runs before this database first uses a connection; a connection executes commands in order. The connections that
  // ran the migrations are already in the pool, so its event for new ones would miss them.
  const prepared = new WeakSet<object>();
  pool.on('acquire', (connection) => {
    if (prepared.has(connection)) return;
    prepared.add(connection);
    for (const statement of sessionSettings(env.databaseStatementTimeoutMs))
      connection.query(statement, () => undefined);
  });
  return new MysqlDatabase(pool.promise(), {
    connections: env.databasePoolSize,
    statementTimeoutMs: env.databaseStatementTimeoutMs,
    acquireTimeoutMs: env.databaseAcquireTimeoutMs,
  });
}

function openReader(path: string): BetterSqlite3.Database {
  const Sqlite = createRequire(import.meta.url)('better-sqlite3') as typeof BetterSqlite3;
  return new Sqlite(path, { readonly: true, fileMustExist: true });
}

/** A server that does not support one of these settings only returns an error for that statement. */
function sessionSettings(statementTimeoutMs: number): string[] {
  return [
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
    "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
    // The client's own timeout would leave the server working. MariaDB and MySQL name their limit differently.
    `SET SESSION max_statement_time = ${statementTimeoutMs / 1000}`,
    `SET SESSION max_execution_time = ${statementTimeoutMs}`,
    'SET SESSION wsrep_sync_wait = 1',
  ];
}
