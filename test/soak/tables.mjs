import Database from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';

/** What the program reads from the tables, bypassing the service. */
export class Tables {
  /** @param {(sql: string) => Promise<Record<string, any>[]>} ask @param {() => Promise<string | null>} findHeld @param {() => void} close */
  constructor(ask, findHeld, close) {
    this.ask = ask;
    /**
     * Reports open transactions and excess connections, as a sentence. There may be none while no call is in progress.
     */
    this.findHeld = findHeld;
    this.close = close;
  }

  /** @param {string} url DATABASE_URL @param {number} maxConnections of all nodes together */
  static async open(url, maxConnections) {
    if (url.startsWith('sqlite:')) {
      const database = new Database(url.slice('sqlite:'.length), { fileMustExist: true, timeout: 1_000 });
      const findHeld = async () => {
        try {
          database.exec('BEGIN IMMEDIATE');
          database.exec('ROLLBACK');
          return null;
        } catch (error) {
          return `a write transaction is open: ${error}`;
        }
      };
      return new Tables(
        async (sql) => /** @type {Record<string, any>[]} */ (database.prepare(sql).all()),
        findHeld,
        () => database.close(),
      );
    }
    const connection = await createConnection(url);
    const ask = async (/** @type {string} */ sql) =>
      /** @type {Record<string, any>[]} */ ((await connection.query(sql))[0]);
    const findHeld = async () => {
      const open = await ask(
        'SELECT trx_id, trx_started FROM information_schema.innodb_trx WHERE trx_started < NOW(6) - INTERVAL 1 SECOND',
      );
      if (open.length > 0) return `${open.length} transaction(s) are open`;
      const connections = await ask(
        'SELECT command FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()',
      );
      const busy = connections.filter(({ command }) => command !== 'Sleep');
      if (busy.length > 0) return `${busy.length} connection(s) are busy`;
      return connections.length > maxConnections
        ? `${connections.length} connections instead of ${maxConnections}`
        : null;
    };
    return new Tables(ask, findHeld, () => connection.destroy());
  }

  /**
   * Compares everything that the service acknowledged with what is stored, and the counters with the rows.
   *
   * @param {import('./ledger.mjs').Ledger} ledger
   * @returns {Promise<string | null>} the first discrepancy, as a sentence
   */
  async findWrong(ledger) {
    const rows = await this.ask('SELECT app_id, username, uuid, activated FROM users');
    /** @type {Map<string, Record<string, any>>} */
    const byName = new Map();
    for (const row of rows) {
      if (byName.has(row.username)) return `there are two users called ${row.username}`;
      byName.set(row.username, row);
    }
    for (const user of ledger.users.values()) {
      const row = byName.get(user.name);
      if (row === undefined) return `the acknowledged user ${user.name} is lost`;
      if (row.uuid !== user.uuid) return `user ${user.name} is not the one that was acknowledged`;
      if (Boolean(row.activated) === user.banned)
        return `the acknowledged ${user.banned ? 'ban' : 'end of a ban'} of user ${user.name} is lost`;
    }
    for (const name of byName.keys())
      if (!ledger.users.has(name)) return `user ${name} was deleted, but is still there`;
    const [count] = await this.ask('SELECT SUM(users) AS kept FROM user_counts');
    if (Number(count?.kept) !== rows.length) return `user_counts has ${count?.kept}, but there are ${rows.length} rows`;
    return (await this.findWrongMessages(ledger)) ?? this.findWrongCounters();
  }

  /** @param {import('./ledger.mjs').Ledger} ledger */
  async findWrongMessages(ledger) {
    const rows = await this.ask('SELECT CAST(id AS CHAR) AS id, user_uuid FROM inbox_messages');
    const receivers = new Map(rows.map(({ id, user_uuid: uuid }) => [id, uuid]));
    if (receivers.size !== rows.length) return 'two messages have the same id';
    let acknowledged = 0;
    for (const { name, uuid, messages } of ledger.users.values()) {
      acknowledged += messages.length;
      for (const id of messages)
        if (receivers.get(id) !== uuid) return `the acknowledged message ${id} to ${name} is lost`;
    }
    return rows.length === acknowledged
      ? null
      : `${rows.length} messages are stored, ${acknowledged} were acknowledged`;
  }

  async findWrongCounters() {
    const [wrong] = await this.ask(
      'SELECT i.user_uuid, i.undelivered, i.kept, i.history, COALESCE(m.u, 0) AS u, COALESCE(m.k, 0) AS k, ' +
        'COALESCE(m.h, 0) AS h FROM inboxes i LEFT JOIN (SELECT app_id, user_uuid, SUM(state = 0) AS u, ' +
        'SUM(state < 2) AS k, SUM(state = 2) AS h FROM inbox_messages GROUP BY app_id, user_uuid) m ' +
        'ON m.app_id = i.app_id AND m.user_uuid = i.user_uuid ' +
        'WHERE i.undelivered <> COALESCE(m.u, 0) OR i.kept <> COALESCE(m.k, 0) OR i.history <> COALESCE(m.h, 0) LIMIT 1',
    );
    if (wrong !== undefined) return `the counters of an inbox differ from its rows: ${JSON.stringify(wrong)}`;
    const [orphans] = await this.ask(
      'SELECT COUNT(*) AS rows_left FROM inbox_messages m LEFT JOIN users u ON u.app_id = m.app_id AND u.uuid = m.user_uuid ' +
        'WHERE u.uuid IS NULL',
    );
    return Number(orphans?.rows_left) === 0 ? null : `${orphans?.rows_left} messages belong to deleted users`;
  }
}
