import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { SoakSession } from './soak-session.mjs';

const minUsers = 20;
const maxUsers = 60;
const password = 'soak-password';
/** A token is bound to the second in which it was issued, and one from the second of a revocation is refused. */
const tokenAgainAfterMs = 2_100;
/** How often a call that is told to retry later is sent. */
const maxAttempts = 5;

/**
 * What an actor needs from the run.
 *
 * @typedef {object} Stage
 * @property {import('./ledger.mjs').Ledger} ledger
 * @property {() => string} nodeUrl of any node
 * @property {string} path of the app
 * @property {string} appId
 * @property {string} certificate
 * @property {(username: string | null) => string} token
 */

/** Performs one act after the other with its own users, so that it knows their expected state. */
export class SoakActor {
  /** @type {import('./ledger.mjs').SoakUser[]} */
  #users = [];
  #next = 0;

  /** @param {string} name @param {Stage} stage */
  constructor(name, stage) {
    this.name = name;
    this.stage = stage;
    /** @type {[number, string, () => Promise<unknown>][]} weight in percent, and the act */
    this.acts = [
      [3, 'register', () => this.register(1)],
      [1, 'register 10', () => this.register(10)],
      [6, 'delete', () => this.delete()],
      [20, 'look up', () => this.lookUp()],
      [4, 'list', () => this.agora('list', 'GET', '/users?limit=50')],
      [4, 'ban', () => this.ban()],
      [4, 'unban', () => this.unban()],
      [2, 'password', () => this.changePassword()],
      [8, 'status', () => this.status()],
      [4, 'batch status', () => this.batchStatus()],
      [10, 'log in', () => this.logIn()],
      [8, 'log out', () => this.logOut()],
      [10, 'send', () => this.send()],
      [8, 'say', () => this.say()],
      [3, 'offline count', () => this.offlineCount()],
      [5, 'qiscus', () => this.qiscus()],
    ];
  }

  async act() {
    let left = Math.random() * this.acts.reduce((sum, [weight]) => sum + weight, 0);
    const [, kind, act] = this.acts.find(([weight]) => (left -= weight) < 0) ?? this.acts[0] ?? [0, '', async () => {}];
    try {
      await act();
    } catch (error) {
      this.stage.ledger.break(
        `${kind} failed: ${error instanceof Error ? `${error.message} ${error.cause ?? ''}` : error}`,
      );
    }
  }

  /** @param {(user: import('./ledger.mjs').SoakUser) => boolean} [fits] */
  any(fits = () => true) {
    const users = this.#users.filter(fits);
    return users[Math.floor(Math.random() * users.length)];
  }

  /**
   * Like a careful app server: sends a key with each change, and retries when told to.
   *
   * @param {string} kind @param {string} method @param {string} path @param {unknown} [body] @param {Record<string,
   * string>} [headers]
   */
  async call(kind, method, path, body, headers = { authorization: `Bearer ${this.stage.token(null)}` }) {
    /** @type {Record<string, string>} */
    const key = method === 'GET' ? {} : { 'idempotency-key': randomUUID() };
    for (let attempt = 1; ; attempt += 1) {
      const startedAt = performance.now();
      const response = await fetch(`${this.stage.nodeUrl()}${path}`, {
        method,
        headers: { ...headers, ...key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      this.stage.ledger.took(kind, performance.now() - startedAt);
      if (response.status === 200) return JSON.parse(text);
      const later = response.headers.get('retry-after');
      if (response.status !== 503 || later === null || attempt === maxAttempts)
        throw new Error(`${method} ${path} got ${response.status} ${text.slice(0, 300)}`);
      this.stage.ledger.refusals += 1;
      await sleep(Number(later) * 1_000);
    }
  }

  /** @param {string} kind @param {string} method @param {string} path @param {unknown} [body] */
  agora(kind, method, path, body) {
    return this.call(kind, method, `${this.stage.path}${path}`, body);
  }

  /** @param {number} count @returns {Promise<void>} */
  async register(count) {
    if (this.#users.length + count > maxUsers) return this.delete();
    const bodies = Array.from({ length: count }, () => ({ username: `${this.name}-${(this.#next += 1)}`, password }));
    const answer = await this.agora(`register ${count}`, 'POST', '/users', count === 1 ? bodies[0] : bodies);
    for (const { username, uuid } of answer.entities) {
      const user = { name: username, uuid, password, banned: false, revokedAt: 0, messages: [], session: null };
      this.#users.push(user);
      this.stage.ledger.users.set(username, user);
    }
    if (answer.entities.length !== count)
      throw new Error(`${answer.entities.length} of ${count} users were registered`);
  }

  /** @returns {Promise<void>} */
  async delete() {
    if (this.#users.length <= minUsers) return this.register(1);
    const user = this.any();
    if (user === undefined) return;
    this.expectEnd(user);
    await this.agora('delete', 'DELETE', `/users/${user.name}`);
    this.#users.splice(this.#users.indexOf(user), 1);
    this.stage.ledger.users.delete(user.name);
    await this.awaitEnd(user, 4003);
  }

  async lookUp() {
    const user = this.any();
    if (user === undefined) return;
    const { entities } = await this.agora('look up', 'GET', `/users/${user.name}`);
    if (entities[0].uuid !== user.uuid || entities[0].activated === user.banned)
      throw new Error(`${user.name} is not as it was acknowledged: ${JSON.stringify(entities[0])}`);
  }

  async ban() {
    const user = this.any(({ banned }) => !banned);
    if (user === undefined) return;
    this.expectEnd(user);
    await this.agora('ban', 'POST', `/users/${user.name}/deactivate`);
    user.banned = true;
    await this.awaitEnd(user, 4001);
  }

  async unban() {
    const user = this.any(({ banned }) => banned);
    if (user === undefined) return;
    await this.agora('unban', 'POST', `/users/${user.name}/activate`);
    user.banned = false;
  }

  async changePassword() {
    const user = this.any();
    if (user === undefined) return;
    this.expectEnd(user);
    const newpassword = `${password}${Math.random()}`;
    await this.agora('password', 'PUT', `/users/${user.name}/password`, { newpassword });
    user.password = newpassword;
    await this.awaitEnd(user, 4004);
  }

  async status() {
    const user = this.any();
    if (user === undefined) return;
    const { data } = await this.agora('status', 'GET', `/users/${user.name}/status`);
    const expected = user.session === null ? 'offline' : 'online';
    // `offline` may follow a moment after the socket closes; `online` must be reported from `ready` on.
    if (expected === 'online' && data[user.name] !== expected) throw new Error(`${user.name} is ${data[user.name]}`);
  }

  async batchStatus() {
    const usernames = this.#users.map(({ name }) => name);
    if (usernames.length > 0) await this.agora('batch status', 'POST', '/users/batch/status', { usernames });
  }

  async logIn() {
    const since = performance.now() - tokenAgainAfterMs;
    const user = this.any(({ banned, session, revokedAt }) => !banned && session === null && revokedAt < since);
    if (user === undefined) return;
    const url = `${this.stage.nodeUrl().replace('http', 'ws')}${this.stage.path}/ws`;
    const requestedAt = performance.now();
    user.session = await SoakSession.open(url, this.stage.token(user.name), (sentence) =>
      this.stage.ledger.break(`${user.name}: ${sentence}`),
    );
    this.stage.ledger.took('log in', performance.now() - requestedAt);
  }

  async logOut() {
    const user = this.any(({ session }) => session !== null);
    if (user === undefined) return;
    await user.session?.leave(Math.random() < 0.5);
    user.session = null;
  }

  async send() {
    const receivers = [this.any(), this.any(), this.any()].flatMap((user) => user ?? []);
    const to = [...new Set(receivers.map(({ name }) => name))];
    if (to.length === 0) return;
    const body = { from: 'admin', to, type: 'txt', body: { msg: 'x'.repeat(Math.random() * 500) } };
    const { data } = await this.agora('send', 'POST', '/messages/users', body);
    for (const name of to) this.stage.ledger.users.get(name)?.messages.push(data[name]);
  }

  async say() {
    const from = this.any(({ session }) => session !== null);
    const to = this.any();
    if (from?.session == null || to === undefined) return;
    const startedAt = performance.now();
    to.messages.push(await from.session.say(to.name, { msg: 'hello' }));
    this.stage.ledger.took('say', performance.now() - startedAt);
  }

  async offlineCount() {
    const user = this.any(({ session }) => session === null);
    if (user === undefined) return;
    const { data } = await this.agora('offline count', 'GET', `/users/${user.name}/offline_msg_count`);
    if (data[user.name] > user.messages.length)
      throw new Error(`${user.name} has ${data[user.name]} offline messages of ${user.messages.length}`);
  }

  async qiscus() {
    const user = this.any(({ banned }) => !banned);
    if (user === undefined) return;
    const headers = { 'qiscus-sdk-app-id': this.stage.appId, 'qiscus-sdk-secret': this.stage.certificate };
    const rest = '/api/v2.1/rest';
    const choice = Math.floor(Math.random() * 4);
    if (choice === 0) return this.call('qiscus list', 'GET', `${rest}/get_user_list?limit=20`, undefined, headers);
    if (choice === 1)
      return this.call('qiscus profile', 'GET', `${rest}/user_profile?user_id=${user.name}`, undefined, headers);
    if (choice === 2)
      return this.call(
        'qiscus unread',
        'GET',
        `${rest}/get_user_unread_count?user_ids[]=${user.name}`,
        undefined,
        headers,
      );
    const change = { user_id: user.name, username: `Soak ${Math.random()}`, password: user.password };
    return this.call('qiscus password', 'POST', `${rest}/login_or_register`, change, headers);
  }

  /** The service is about to end the user's session. @param {import('./ledger.mjs').SoakUser} user */
  expectEnd({ session }) {
    if (session !== null) session.ending = true;
  }

  /** @param {import('./ledger.mjs').SoakUser} user @param {number} expected close code */
  async awaitEnd(user, expected) {
    const code = await user.session?.disconnected();
    user.session = null;
    user.revokedAt = performance.now();
    if (code !== undefined && code !== expected)
      throw new Error(`the session of ${user.name} ended with ${code} instead of ${expected}`);
  }
}
