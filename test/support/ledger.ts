import { setTimeout as sleep } from 'node:timers/promises';
import { rowsOf } from './rows.js';

export const writers = 20;
/** Callers that retry at once would take the CPU from what they wait for. */
const retryAfterMs = 50;

/**
 * What writers were told: names whose registration, message and ban were acknowledged, and all names that they tried.
 */
export class Ledger {
  readonly registered = new Set<string>();
  readonly banned = new Set<string>();
  /** Message ids and their receivers. */
  readonly messages = new Map<string, string>();
  readonly statuses = new Map<number, number>();
  stopped = false;
  private next = 0;

  constructor(
    private readonly prefix: string,
    private readonly appUrl: () => string,
    private readonly token: string,
    readonly tried = new Set<string>(),
  ) {}

  get acks(): number {
    return this.registered.size + this.messages.size + this.banned.size;
  }

  /** Twenty writers register users, each of whom then gets a message and is banned, until `stop`. */
  start(): Promise<void> {
    const write = async (): Promise<void> => {
      while (!this.stopped) await this.oneLife(`${this.prefix}-${(this.next += 1)}`);
    };
    return Promise.all(Array.from({ length: writers }, write)).then(() => undefined);
  }

  /** Waits for this many further acknowledgements. */
  async untilMore(acks: number): Promise<void> {
    for (const target = this.acks + acks; this.acks < target;) await sleep(1);
  }

  /** What has been acknowledged so far. Whatever is tried, even later, is included. */
  snapshot(): Ledger {
    const now = new Ledger(this.prefix, this.appUrl, this.token, this.tried);
    for (const name of this.registered) now.registered.add(name);
    for (const name of this.banned) now.banned.add(name);
    for (const [id, name] of this.messages) now.messages.set(id, name);
    return now;
  }

  private async oneLife(username: string): Promise<void> {
    this.tried.add(username);
    if ((await this.post('/users', { username, password: 'p' })) === null) return;
    this.registered.add(username);
    const sent = await this.post('/messages/users', { to: [username], type: 'txt', body: { msg: username } });
    if (sent !== null) this.messages.set((sent['data'] as Record<string, string>)[username] as string, username);
    if ((await this.post(`/users/${username}/deactivate`, { reason: username })) !== null) this.banned.add(username);
  }

  /** The answer, or null if the fate of the request is unknown. */
  private async post(path: string, body: unknown): Promise<Record<string, unknown> | null> {
    try {
      const response = await fetch(`${this.appUrl()}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.token}` },
        body: JSON.stringify(body),
      });
      this.statuses.set(response.status, (this.statuses.get(response.status) ?? 0) + 1);
      const answer = (await response.json()) as Record<string, unknown>;
      if (response.status === 200) return answer;
    } catch {
      // It is down.
    }
    await sleep(retryAfterMs);
    return null;
  }

  /** Compares the acknowledgements with the tables; unacknowledged writes may be there, but only whole. */
  async expectNothingLost(databaseUrl: string): Promise<void> {
    const users = new Map<string, { uuid: string; activated: number }>();
    for (const { username, ...user } of await rowsOf<{ username: string; uuid: string; activated: number }>(
      databaseUrl,
      'SELECT username, uuid, activated FROM users',
    ))
      users.set(username, user);
    expect([...this.registered].filter((name) => !users.has(name))).toEqual([]);
    expect([...users.keys()].filter((name) => !this.tried.has(name))).toEqual([]);
    const [counted] = await rowsOf<{ users: unknown }>(databaseUrl, 'SELECT SUM(users) AS users FROM user_counts');
    expect(Number(counted?.users)).toBe(users.size);

    const lines = new Map<string, unknown[]>();
    for (const { user_uuid, ...line } of await rowsOf<{ user_uuid: string }>(
      databaseUrl,
      'SELECT user_uuid, state, reason FROM bans',
    ))
      lines.set(user_uuid, [...(lines.get(user_uuid) ?? []), line]);
    expect([...this.banned].filter((name) => users.get(name)?.activated !== 0)).toEqual([]);
    // A ban and its history entry are one, acknowledged or not.
    for (const [name, { uuid, activated }] of users)
      expect([name, lines.get(uuid) ?? []]).toEqual([name, activated === 0 ? [{ state: 1, reason: name }] : []]);

    const kept = new Map<string, { user_uuid: string; body: string | null }>();
    for (const { id, ...message } of await rowsOf<{ id: number | string; user_uuid: string; body: string | null }>(
      databaseUrl,
      'SELECT i.id, i.user_uuid, m.body FROM inbox_messages i' +
        ' LEFT JOIN messages m ON m.app_id = i.app_id AND m.id = i.message_id',
    ))
      kept.set(String(id), message);
    const names = new Map([...users].map(([name, { uuid }]) => [uuid, name]));
    expect([...this.messages].filter(([id, name]) => names.get(kept.get(id)?.user_uuid ?? '') !== name)).toEqual([]);
    for (const { user_uuid: uuid, body } of kept.values())
      expect(JSON.parse(body ?? 'null')).toEqual({ msg: names.get(uuid) });
    const [inboxes] = await rowsOf<{ kept: unknown }>(databaseUrl, 'SELECT SUM(kept) AS kept FROM inboxes');
    expect(Number(inboxes?.kept)).toBe(kept.size);
  }
}
