import type { Command } from 'commander';
import { SystemClock } from '../clock/clock.js';
import { loadEnv } from '../config/env.js';
import { migrations } from '../data-source.js';
import { backUpSqlite } from '../database/sqlite-backup.js';
import { refuse, sqlitePath } from '../database/sqlite-copy.js';
import { restoreSqlite } from '../database/sqlite-restore.js';

const percentPerLine = 10;

/** Neither command opens the service's container, which would migrate and start to serve the file to be replaced. */
export function addBackupCommands(program: Command): void {
  program
    .command('backup')
    .argument('<FILE>')
    .option('--force', 'replace FILE if it exists', false)
    .description('copy the SQLite database to FILE, even while the service runs')
    .action(async (file: string, { force }: { force: boolean }) => {
      const path = sqlitePath(loadEnv().databaseUrl) ?? refuse(mysqlBackup);
      const interrupted = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
      let told = -percentPerLine;
      await backUpSqlite(path, file, {
        migrations,
        force,
        signal: interrupted.signal,
        onProgress: (percent) => {
          if (percent < told + percentPerLine) return;
          told = percent - (percent % percentPerLine);
          console.error(percent === 100 ? 'copied, verifying …' : `${told} % copied`);
        },
      });
      console.log(
        `${file} is a whole and checked copy of ${path}. It holds secrets: keep it as you keep a private key`,
      );
    });
  program
    .command('restore')
    .argument('<FILE>')
    .option('--force', 'also replace a database that is damaged', false)
    .description('replace the SQLite database with a copy of FILE; the old one is kept under another name')
    .action(async (file: string, { force }: { force: boolean }) => {
      const path = sqlitePath(loadEnv().databaseUrl) ?? refuse(mysqlRestore);
      const now = new Date(new SystemClock().now()).toISOString().replaceAll(/[-:.]/g, '');
      const kept = await restoreSqlite(path, file, { migrations, force, suffix: `replaced-${now}` });
      console.log(`${path} has been restored from ${file}.`);
      if (kept !== null) console.log(`The previous database is kept as ${kept}: remove it when you no longer need it.`);
      console.log('Start the service: it migrates an older schema.');
    });
}

const mysqlBackup =
  'backup copies SQLite only. For MySQL and MariaDB, in one transaction and without holding anybody up: ' +
  'mariadb-dump --single-transaction --quick DATABASE > FILE ' +
  '(mysqldump on MySQL, with --set-gtid-purged=OFF), or a physical one with mariabackup --backup or xtrabackup';
const mysqlRestore =
  'restore replaces an SQLite database only. For MySQL and MariaDB: stop every node, and read the dump into an empty ' +
  'database with mariadb DATABASE < FILE (mysql on MySQL), or put a physical one back with mariabackup --prepare and --copy-back';
