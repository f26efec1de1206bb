import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeOnlineCursor } from '../../src/cursors/online-cursor.js';
import { writeCursor } from '../../src/cursors/list-cursor.js';
import { writeTextCursor } from '../../src/cursors/text-cursor.js';
import { aUsername } from '../factories/user.factory.js';
import { hex32 } from '../factories/app.factory.js';
import { MessageClient } from './message-client.js';
import { tokenOf } from './tokens.js';

export interface Credentials {
  readonly org: string;
  readonly name: string;
  readonly appId: string;
  readonly certificate: string;
}

/** What a caller can name or present of an app: one user and what belongs to it. */
export interface Ids {
  readonly username: string;
  /** Another user of the same app. */
  readonly other: string;
  readonly uuid: string;
  readonly password: string;
  readonly groupId: string;
  readonly roomId: string;
  readonly messageId: string;
  readonly resource: string;
  readonly usersCursor: string;
  readonly groupsCursor: string;
  readonly roomsCursor: string;
  readonly onlineCursor: string;
  /** Of the group. */
  readonly membersCursor: string;
  readonly blockedCursor: string;
  readonly auditCursor: string;
  /** An operation that has banned two users, one of whom is unknown; and the second pages of operations and results. */
  readonly operationId: string;
  readonly operationsCursor: string;
  readonly resultsCursor: string;
  readonly appId: string;
  readonly certificate: string;
  /** An AccessToken2 of the user. */
  readonly userAccessToken2: string;
  /** Of the Qiscus dialect: 20 characters. */
  readonly userToken: string;
  readonly refreshToken: string;
  /** Never used. */
  readonly identityToken: string;
}

/** Usernames, which several apps may share. */
export interface Names {
  readonly username: string;
  readonly other: string;
  readonly banned: string;
  readonly changed: string;
}

export function someNames(): Names {
  // Their order is the same in every app, so that lists can be compared.
  return { username: aUsername('a'), other: aUsername('b'), banned: aUsername('c'), changed: aUsername('d') };
}

/** Ids of nothing, in the form of real ones. */
export function idsOfNothing(): Ids {
  const appUuid = randomUUID();
  const [appId, certificate] = [hex32(), hex32()];
  const { username, other } = someNames();
  const number = (): string => String(1_000_000_000_000_000 + Math.floor(Math.random() * 1_000_000_000_000));
  return {
    ...{ username, other, uuid: randomUUID(), password: password() },
    ...{ groupId: number(), roomId: number(), messageId: number(), resource: `web_${hex32()}` },
    ...{ usersCursor: writeCursor(appUuid, 1), groupsCursor: writeCursor(appUuid, 2) },
    ...{ roomsCursor: writeCursor(appUuid, 3), onlineCursor: writeOnlineCursor(appUuid, username) },
    ...{ membersCursor: writeTextCursor(`${appUuid} members 1`, randomUUID()) },
    ...{ operationId: number(), operationsCursor: writeTextCursor(`operations ${appUuid}`, '1') },
    ...{ resultsCursor: writeTextCursor(`results ${appUuid} 1 `, '0.1') },
    ...{ blockedCursor: writeTextCursor(`${appUuid} block 1`, '1.1') },
    ...{ auditCursor: writeTextCursor(`${appUuid} audit`, '1.1.1') },
    ...{ appId, certificate, userAccessToken2: tokenOf({ appId, certificate }, username) },
    ...{ userToken: characters(20), refreshToken: characters(40) },
    identityToken: signIdentity(certificate, { iss: appId, prn: username, nce: randomBytes(20).toString('hex') }),
  };
}

/** An app with users, groups and messages, all created through its own API. Its texts contain a random word. */
export class Tenant {
  /** Part of every text that the app stores and no caller needs to know. */
  readonly canary = `canary${hex32()}`;
  ids!: Ids;
  /** The application uuid. */
  application = '';
  appToken = '';
  userJwt = '';
  /** Tokens and a password of users that were valid once: a new password, a reset and a ban ended them. */
  readonly ended = {
    password: password(),
    userJwt: '',
    userToken: '',
    refreshToken: '',
    bannedJwt: '',
    bannedToken: '',
  };
  readonly sessions: MessageClient[] = [];

  private constructor(
    readonly url: string,
    readonly credentials: Credentials,
    readonly names: Names,
  ) {}

  /** For an existing app in which these users do not exist. */
  static async build(url: string, credentials: Credentials, names = someNames()): Promise<Tenant> {
    const tenant = new Tenant(url, credentials, names);
    await tenant.fill();
    return tenant;
  }

  get path(): string {
    return `/${this.credentials.org}/${this.credentials.name}`;
  }

  get appAccessToken2(): string {
    return tokenOf(this.credentials);
  }

  /** What the holder of the app's credentials presents to the guard of this name. */
  shown(access: string): Readonly<Record<string, string>> {
    const appHeader = { 'qiscus-sdk-app-id': this.ids.appId };
    switch (access) {
      case 'QiscusServerGuard':
        return { ...appHeader, 'qiscus-sdk-secret': this.ids.certificate };
      case 'QiscusUserTokenGuard':
        return { ...appHeader, 'qiscus-sdk-token': this.ids.userToken, 'qiscus-sdk-user-id': this.ids.username };
      case 'QiscusAppGuard':
        return appHeader;
      default:
        return { authorization: `Bearer ${this.appToken}` };
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.close()));
  }

  /** A call in the Agora dialect, as the app server makes it. */
  async call(method: string, path: string, body?: unknown): Promise<any> {
    return this.fetch(method, `${this.path}${path}`, { authorization: `Bearer ${this.appToken}` }, body);
  }

  /** A call in the Qiscus dialect, with these headers in addition to the one that names the app. */
  async qiscus(method: string, path: string, headers: Readonly<Record<string, string>>, body?: unknown): Promise<any> {
    const { results } = await this.fetch(
      method,
      `/api${path}`,
      { 'qiscus-sdk-app-id': this.credentials.appId, ...headers },
      body,
    );
    return results;
  }

  async rest(method: string, path: string, body?: unknown): Promise<any> {
    return this.qiscus(method, `/v2.1/rest/${path}`, { 'qiscus-sdk-secret': this.credentials.certificate }, body);
  }

  async nonce(): Promise<string> {
    return ((await this.qiscus('POST', '/v2/sdk/auth/nonce', {})) as { nonce: string }).nonce;
  }

  /** Signed as the app server would; `claims` and `certificate` say what differs. */
  async identityToken(claims: Readonly<Record<string, unknown>> = {}, certificate = this.credentials.certificate) {
    const { appId } = this.credentials;
    return signIdentity(certificate, { iss: appId, prn: this.names.username, nce: await this.nonce(), ...claims });
  }

  async userTokens(username: string, word: string): Promise<{ jwt: string; token: string; refreshToken: string }> {
    const grant = await this.call('POST', '/token', { grant_type: 'password', username, password: word });
    const { user } = await this.qiscus('POST', '/v2/sdk/login_or_register', {}, { email: username, password: word });
    return { jwt: grant.access_token, token: user.token, refreshToken: user.refresh_token };
  }

  private async fill(): Promise<void> {
    const { canary, names } = this;
    const { username, other, banned, changed } = names;
    const { appId, certificate } = this.credentials;
    const word = password();
    const grant = { grant_type: 'client_credentials', client_id: appId, client_secret: certificate };
    ({ access_token: this.appToken, application: this.application } = await this.fetch(
      'POST',
      `${this.path}/token`,
      {},
      grant,
    ));
    const outsiders = [`hidden-${canary}`, `blocked-${canary}`, `kept-out-${canary}`];
    const accounts = [username, other, banned, ...outsiders].map((name) => ({ username: name, password: word }));
    const { entities } = await this.call('POST', '/users', [
      ...accounts.map((account) => ({ ...account, nickname: `nickname ${canary}` })),
      { username: changed, password: this.ended.password },
    ]);
    const profile = { user_id: username, username: `name ${canary}`, avatar_url: `https://${canary}.example/a.png` };
    await this.rest('POST', 'login_or_register', { ...profile, password: word, extras: { note: canary } });
    const tokens = await this.userTokens(username, word);
    this.userJwt = tokens.jwt;
    const blocker = { 'qiscus-sdk-token': tokens.token };
    await this.qiscus('POST', '/v2/sdk/block_user', blocker, { user_email: `hidden-${canary}` });
    await this.end(banned, word, changed);
    await this.call('POST', '/mutes', { username: `hidden-${canary}`, chat: -1, groupchat: -1 });
    await this.call('POST', `/users/${username}/notes`, { text: canary, author: canary });
    await this.call('PUT', `/users/hidden-${canary}`, { notification_no_disturbing_start: 22 });
    await this.call('PUT', `/metadata/user/${username}`, new URLSearchParams({ nickname: canary, ext: canary }));
    await this.call('POST', `/users/${username}/presence/web/1`, { ext: canary });
    // Of somebody who never comes online: nobody here is sent a frame for it.
    await this.call('POST', `/users/${username}/presence/86400`, { usernames: [`hidden-${canary}`] });
    const groups = await this.makeGroups('chatgroups', 'groupname', 'groupid');
    const rooms = await this.makeGroups('chatrooms', 'name', 'id');
    for (const name of [username, other])
      this.sessions.push(
        await MessageClient.connect(
          `${this.url.replace('http', 'ws')}${this.path}/ws`,
          (await this.userTokens(name, word)).jwt,
          {
            // Its own: another tenant's user of the same name has a different one.
            ...{ acks: false, device: `${name}-${canary}` },
          },
        ),
      );
    const hidden = `hidden-${canary}`;
    for (const friend of [other, hidden]) await this.call('POST', `/users/${username}/contacts/users/${friend}`);
    await this.call('PUT', `/user/${username}/contacts/users/${other}`, { remark: `remark ${canary}` });
    await this.call('POST', `/users/${username}/blocks/users`, { usernames: [hidden] });
    const message = {
      from: other,
      to: [username, `hidden-${canary}`],
      type: 'txt',
      body: { msg: canary },
      ext: { canary },
    };
    const { data } = await this.call('POST', '/messages/users', message);
    await (this.sessions[0] as MessageClient).first('message');
    this.ids = {
      ...{ username, other, uuid: entities[0].uuid, password: word, appId, certificate },
      ...{ groupId: groups.id, roomId: rooms.id, messageId: data[username] },
      resource: (await (this.sessions[0] as MessageClient).first('ready'))['resource'] as string,
      usersCursor: (await this.call('GET', '/users?limit=1')).cursor,
      ...{ groupsCursor: groups.cursor, roomsCursor: rooms.cursor },
      membersCursor: (await this.call('GET', `/chatgroups/${groups.id}/users?version=v3&limit=1`)).cursor,
      blockedCursor: (await this.call('GET', `/chatgroups/${groups.id}/blocks/users?pageSize=1`)).cursor,
      ...(await this.makeOperations()),
      onlineCursor: (await this.call('GET', '/online?limit=1')).cursor,
      auditCursor: (await this.call('GET', '/audit?limit=1')).cursor,
      ...{ userAccessToken2: tokenOf(this.credentials, username), userToken: tokens.token },
      ...{ refreshToken: tokens.refreshToken, identityToken: await this.identityToken() },
    };
    for (const [name, id] of Object.entries(this.ids)) if (typeof id !== 'string') throw new Error(`no ${name}`);
  }

  /** Revokes what `ended` contains. */
  private async end(banned: string, word: string, changed: string): Promise<void> {
    const before = await this.userTokens(changed, this.ended.password);
    Object.assign(this.ended, { userJwt: before.jwt, userToken: before.token, refreshToken: before.refreshToken });
    await this.rest('POST', 'reset_user_token', { user_id: changed });
    await this.call('PUT', `/users/${changed}/password`, { newpassword: word });
    const tokens = await this.userTokens(banned, word);
    Object.assign(this.ended, { bannedJwt: tokens.jwt, bannedToken: tokens.token });
    await this.call('POST', `/users/${banned}/deactivate`, { reason: `because of ${this.canary}` });
  }

  /** Each has a user whom it has failed for, and is finished. */
  private async makeOperations() {
    const usernames = [`nobody-${this.canary}`, `hidden-${this.canary}`];
    const operations: string[] = [];
    for (const action of ['force_offline', 'unban']) {
      const { data } = await this.call('POST', '/operations', { action, usernames, reason: this.canary });
      operations.push(data.id as string);
      while ((await this.call('GET', `/operations/${data.id as string}`)).data.state !== 'done') await sleep(10);
    }
    const [operationId = ''] = operations;
    const results = await this.call('GET', `/operations/${operationId}/results?limit=1`);
    const { cursor: operationsCursor } = await this.call('GET', '/operations?limit=1');
    return { operationId, operationsCursor: operationsCursor as string, resultsCursor: results.cursor as string };
  }

  private async makeGroups(path: string, nameMember: string, idMember: string) {
    const { canary } = this;
    const { username: owner, other } = this.names;
    const group = {
      [nameMember]: canary,
      description: canary,
      custom: canary,
      owner,
      members: [other, `hidden-${canary}`],
    };
    const blocked = [`blocked-${canary}`, `kept-out-${canary}`];
    const { data } = await this.call('POST', `/${path}`, { ...group, members: [...group.members, ...blocked] });
    await this.call('POST', `/${path}`, group);
    const lists = `/${path}/${data[idMember]}`;
    await this.call('POST', `${lists}/blocks/users`, { usernames: blocked });
    await this.call('POST', `${lists}/mute`, { usernames: [`hidden-${canary}`], mute_duration: -1 });
    await this.call('POST', `${lists}/admin`, { newadmin: `hidden-${canary}` });
    await this.call('POST', `${lists}/announcement`, { announcement: canary });
    if (path === 'chatrooms') await this.call('POST', '/chatrooms/super_admin', { superadmin: `hidden-${canary}` });
    const { cursor } = await this.call('GET', `/${path}?limit=1`);
    return { id: data[idMember] as string, cursor: cursor as string };
  }

  private async fetch(method: string, path: string, headers: Readonly<Record<string, string>>, body?: unknown) {
    const response = await fetch(`${this.url}${path}`, {
      ...{ method, headers },
      ...(body === undefined ? {} : { body: body instanceof URLSearchParams ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }
}

/** Waits until users' AccessToken2 can be newer than what was revoked: they count in whole seconds. */
export async function nextSecond(): Promise<void> {
  await sleep(1_000 - (Date.now() % 1_000) + 5);
}

/** A JWT as app servers sign it for their users; good for 10 minutes unless the claims say otherwise. */
export function signIdentity(certificate: string, claims: Readonly<Record<string, unknown>>, alg = 'HS256'): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const text = `${part({ alg, typ: 'JWT' })}.${part({ exp, ...claims })}`;
  return `${text}.${createHmac('sha256', certificate).update(text).digest('base64url')}`;
}

function password(): string {
  return `pw-${randomBytes(12).toString('base64url')}`;
}

function characters(count: number): string {
  return randomBytes(count).toString('hex').slice(0, count);
}
