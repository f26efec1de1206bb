import type { Credentials, Ids } from './tenant.js';

/** One call of a route: `path` with its query. */
export interface RouteCall {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a call has besides its path. */
interface Parts {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** A body that is a form. */
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

type Describe = (ids: Ids) => readonly Parts[];

const nothing: Describe = () => [{}];
const page =
  (cursor: keyof Ids): Describe =>
  (ids): Parts[] => [{ query: { limit: '100' } }, { query: { limit: '100', cursor: ids[cursor] } }];
const inBody =
  (body: (ids: Ids) => unknown): Describe =>
  (ids) => [{ body: body(ids) }];
const formType = { 'content-type': 'application/x-www-form-urlencoded' };
const jsonType = { 'content-type': 'application/json' };
const newPassword = inBody(() => ({ newpassword: 'another one' }));
const reason = inBody(() => ({ reason: 'no reason' }));
const moreMembers = inBody((ids) => ({ usernames: [ids.username, ids.other] }));
const others = inBody((ids) => ({ usernames: [ids.other] }));
const checkList = inBody((ids) => ({ username: ids.username, check_list: [ids.username, ids.other] }));
const remark = inBody(() => ({ remark: 'a remark' }));
const contactPage: Describe = (ids) => [{ query: { limit: '50', cursor: ids.usersCursor, needReturnRemark: 'true' } }];
const otherUser = inBody((ids) => ({ usernames: [ids.other] }));
const members: Describe = (ids): Parts[] => [
  {},
  { query: { version: 'v3', limit: '100', cursor: ids.membersCursor } },
  { query: { pagenum: '1', pagesize: '100' } },
];
const numbered: Describe = (): Parts[] => [{}, { query: { pagenum: '1', pagesize: '100' } }];
const entries: Describe = (ids): Parts[] => [{}, { query: { pageSize: '50', cursor: ids.blockedCursor } }];
const changedGroup: Describe = (ids): Parts[] => [
  { body: { groupname: 'another name', description: 'about', maxusers: 100 } },
  { body: { newowner: ids.other } },
];
const mute = inBody((ids) => ({ usernames: [ids.username, ids.other], mute_duration: 60_000 }));
const admin = inBody((ids) => ({ newadmin: ids.other }));
const announcement = inBody(() => ({ announcement: 'an announcement' }));
const newGroup = (name: string) => inBody((ids) => ({ [name]: 'a name', owner: ids.username, members: [ids.other] }));

/** What a call of each Agora route carries besides the ids in its path. HEAD is like GET. */
const agora: Readonly<Record<string, Describe>> = {
  'POST /token': (ids) => [
    { body: { grant_type: 'client_credentials', client_id: ids.appId, client_secret: ids.certificate } },
    { body: { grant_type: 'password', username: ids.username, password: ids.password } },
    { body: { grant_type: 'inherit', username: ids.username } },
    { body: { grant_type: 'inherit', username: ids.other, autoCreateUser: true } },
    { body: { grant_type: 'agora' }, headers: { authorization: `Bearer ${ids.userAccessToken2}` } },
  ],
  'POST /users': (ids) => [
    { body: { username: ids.username, password: 'a password' } },
    { body: [ids.username, ids.other].map((username) => ({ username, password: 'a password' })) },
  ],
  'GET /users': page('usersCursor'),
  'GET /users/:username': nothing,
  'PUT /users/:username': () => [
    { body: { nickname: 'a nickname' } },
    { body: { notification_display_style: 1, notification_no_disturbing: true } },
  ],
  'PUT /users/:username/password': newPassword,
  'POST /users/:username/password': newPassword,
  'POST /users/:username/deactivate': reason,
  'POST /users/:username/activate': reason,
  'GET /users/:username/ban': nothing,
  'GET /users/:username/bans': () => [{}, { query: { limit: '5' } }],
  'GET /users/:username/status': (ids) => [{}, { query: { detail: '1', user: ids.username } }],
  'POST /users/batch/status': inBody((ids) => ({ usernames: [ids.username, ids.other] })),
  'GET /users/:username/disconnect': nothing,
  'GET /users/:username/disconnect/:resource': nothing,
  'DELETE /users/:username/disconnect/:resource': nothing,
  'GET /users/:username/resources': nothing,
  'POST /token/users/:username/invalid': nothing,
  'POST /token/user/:username/invalid': nothing,
  'GET /online': page('onlineCursor'),
  'GET /users/:username/offline_msg_count': (ids) => [{}, { query: { state: 'undelivered', id: ids.messageId } }],
  'GET /users/:username/offline_msg_status/:messageId': nothing,
  'POST /messages/users': inBody((ids) => ({
    ...{ from: ids.username, to: [ids.username, ids.other], type: 'txt', body: { msg: 'hello' } },
  })),
  'POST /messages': (ids) => [
    { body: { target_type: 'users', target: [ids.username, ids.other], msg: { type: 'txt', msg: 'hello' } } },
    {
      query: { useMsgId: 'true' },
      body: { target_type: 'users', target: [ids.username], msg: { type: 'txt' }, routetype: 'ROUTE_ONLINE' },
    },
  ],
  'POST /mutes': inBody((ids) => ({ username: ids.username, chat: 60, groupchat: -1, chatroom: 0 })),
  'GET /mutes': () => [{}, { query: { pageNum: '1', pageSize: '50' } }],
  'GET /mutes/:username': nothing,
  'GET /audit': (ids): Parts[] => [
    { query: { limit: '100' } },
    { query: { target: ids.username, actor: 'app_token', from: '0', cursor: ids.auditCursor } },
    { query: { action: 'user.ban' } },
    { query: { actor: 'app_token' } },
    { query: { target: ids.username } },
  ],
  'GET /search/users': (ids): Parts[] => [
    {},
    { query: { username: ids.username, state: 'online', sort: '-last_seen' } },
    { query: { nickname: 'hidden', created_from: '0', last_seen_to: '9999999999999' } },
  ],
  'POST /users/:username/notes': inBody(() => ({ text: 'a note', author: 'an author' })),
  'GET /users/:username/notes': nothing,
  'PUT /push/nickname': (ids) =>
    ['push_nickname', 'nickname'].map((member) => ({
      body: [ids.username, ids.other].map((username) => ({ username, [member]: 'a nickname' })),
    })),
  'POST /chatgroups': newGroup('groupname'),
  'POST /chatrooms': newGroup('name'),
  'GET /chatgroups': page('groupsCursor'),
  'GET /chatrooms': page('roomsCursor'),
  'GET /chatgroups/:id': nothing,
  'GET /chatrooms/:id': nothing,
  'PUT /chatgroups/:id': changedGroup,
  'PUT /chatrooms/:id': changedGroup,
  'GET /chatgroups/:id/users': members,
  'GET /chatrooms/:id/users': members,
  'POST /chatgroups/:id/users/:username': nothing,
  'POST /chatrooms/:id/users/:username': nothing,
  'POST /chatgroups/:id/users': moreMembers,
  'POST /chatrooms/:id/users': moreMembers,
  'POST /users/:username/contacts/users/:friend': nothing,
  'GET /users/:username/contacts/users': (ids) => [
    {},
    { query: { needReturnRemark: 'true', version: ids.usersCursor } },
  ],
  'GET /user/:username/contacts': contactPage,
  'GET /users/:username/contacts': contactPage,
  'PUT /user/:username/contacts/users/:friend': remark,
  'PUT /users/:username/contacts/users/:friend': remark,
  'POST /users/:username/contacts/import': others,
  'POST /contacts/check': checkList,
  'DELETE /users/:username/contacts/users/:friend': nothing,
  'DELETE /contacts/users/:username': nothing,
  'POST /users/:username/blocks/users': others,
  'POST /sdk/user/:username/blocks': others,
  'DELETE /sdk/user/:username/blocks': others,
  'GET /users/:username/blocks/users': (ids) => [{}, { query: { pageSize: '50', cursor: ids.usersCursor } }],
  'POST /blocks/check': checkList,
  'DELETE /users/:username/blocks/users/:usernames': nothing,
  'DELETE /users/:username/blocks/users': others,
  'GET /users/:username/joined_chatgroups': numbered,
  'GET /users/:username/joined_chatrooms': numbered,
  ...Object.fromEntries(
    ['chatgroups', 'chatrooms'].flatMap((many): [string, Describe][] => [
      [`GET /${many}/:id/blocks/users`, entries],
      [`POST /${many}/:id/blocks/users/:username`, nothing],
      [`POST /${many}/:id/blocks/users`, moreMembers],
      [`DELETE /${many}/:id/blocks/users/:usernames`, nothing],
      [`GET /${many}/:id/mute`, entries],
      [`POST /${many}/:id/mute`, mute],
      [`DELETE /${many}/:id/mute/:usernames`, nothing],
      [`GET /${many}/:id/admin`, nothing],
      [`POST /${many}/:id/admin`, admin],
      [`DELETE /${many}/:id/admin/:username`, nothing],
      [`GET /${many}/:id/announcement`, nothing],
      [`POST /${many}/:id/announcement`, announcement],
    ]),
  ),
  'GET /chatrooms/super_admin': numbered,
  'POST /chatrooms/super_admin': inBody((ids) => ({ superadmin: ids.username })),
  'DELETE /chatrooms/super_admin/:username': nothing,
  'DELETE /chatgroups/:id/users/:usernames': nothing,
  'DELETE /chatrooms/:id/users/:usernames': nothing,
  'DELETE /chatgroups/:id': nothing,
  'DELETE /chatrooms/:id': nothing,
  'POST /users/:username/presence/:resource/:status': inBody((ids) => ({ ext: ids.messageId })),
  'POST /users/:username/presence/:expiry': otherUser,
  'POST /users/:username/presence': otherUser,
  'GET /users/:username/presence/sublist': () => [{ query: { pageNum: '1', pageSize: '500' } }],
  'DELETE /users/:username/presence': inBody((ids) => [ids.other, ids.uuid]),
  'GET /metadata/user/capacity': nothing,
  'POST /metadata/user/get': (ids) => [
    { body: { targets: [ids.username, ids.other], properties: ['nickname'] }, headers: jsonType },
  ],
  'GET /metadata/user/:username': nothing,
  'PUT /metadata/user/:username': (ids) => [{ form: { nickname: 'a nickname', ext: ids.other }, headers: formType }],
  'DELETE /metadata/user/:username': nothing,
  'POST /operations': (ids) => [
    { body: { action: 'delete', usernames: [ids.username, ids.other], dry_run: true } },
    { body: { action: 'ban', filter: { state: 'active', username: ids.other, created_from: 1 }, dry_run: true } },
    { body: { action: 'force_offline', usernames: [ids.other], reason: ids.username } },
  ],
  'GET /operations': page('operationsCursor'),
  'GET /operations/:operationId': nothing,
  'GET /operations/:operationId/results': (ids): Parts[] => [
    {},
    { query: { limit: '100', cursor: ids.resultsCursor } },
    { query: { outcome: 'failed' } },
  ],
  'POST /operations/:operationId/cancel': nothing,
  'POST /operations/:operationId/undo': nothing,
  'DELETE /users/:username': nothing,
  'DELETE /users': (ids): Parts[] => [
    { query: { limit: '100', dry_run: '1' } },
    { query: { limit: '100' } },
    { query: { limit: '100', cursor: ids.usersCursor } },
  ],
};

/** The parameters of a Qiscus call, in the query or the body, and ids in its headers. */
const qiscus: Readonly<Record<string, (ids: Ids) => Readonly<Record<string, unknown>>>> = {
  'POST /rest/login_or_register': (ids) => ({ user_id: ids.username, username: 'a name', password: ids.password }),
  'GET /rest/user_profile': (ids) => ({ user_id: ids.username }),
  'GET /rest/get_user_token': (ids) => ({ user_id: ids.username }),
  'POST /rest/reset_user_token': (ids) => ({ user_id: ids.username }),
  'GET /rest/get_user_list': () => ({ page: '1', limit: '100' }),
  'POST /rest/get_user_list': () => ({ page: '1', show_all: 'true' }),
  'DELETE /rest/deactivate_users': (ids) => ({ user_ids: [ids.username, ids.other] }),
  'POST /rest/reactivate_users': (ids) => ({ user_ids: [ids.username, ids.other] }),
  'POST /v2/rest/login_or_register': (ids) => ({ email: ids.username, username: 'a name', password: ids.password }),
  'GET /v2/rest/user_profile': (ids) => ({ user_email: ids.username }),
  'POST /v2/rest/reset_user_token': (ids) => ({ user_email: ids.username }),
  'GET /rest/get_unread_count': (ids) => ({ user_id: ids.username, room_channel_ids: [ids.other], room_ids: ['0'] }),
  'GET /rest/get_unread_users': () => ({ page: '1' }),
  'GET /rest/get_user_unread_count': (ids) => ({ user_ids: [ids.username, ids.other] }),
  'GET /config': () => ({}),
  'POST /auth/nonce': () => ({}),
  'POST /auth/verify_identity_token': (ids) => ({ identity_token: ids.identityToken }),
  'POST /login_or_register': (ids) => ({ email: ids.username, password: ids.password, username: 'a name' }),
  'POST /refresh_user_token': (ids) => ({ user_id: ids.username, refresh_token: ids.refreshToken }),
  'POST /users/status': (ids) => ({ user_ids: [ids.username, ids.other] }),
  'GET /my_profile': () => ({}),
  'PATCH /my_profile': () => ({ name: 'a name', extras: '{"a":1}' }),
  'GET /get_user_list': (ids) => ({ query: ids.username, page: '1', limit: '100' }),
  'POST /block_user': (ids) => ({ user_email: ids.other }),
  'POST /unblock_user': (ids) => ({ user_email: ids.other }),
  'GET /get_blocked_users': () => ({ page: '1', limit: '100' }),
  'POST /logout': (ids) => ({ user_id: ids.username, token: ids.userToken }),
};

const operations = ['GET /health/live', 'GET /health/ready', 'GET /metrics'];

/**
 * The calls of a route (`METHOD /path`, as Fastify names it) in an app, with these ids wherever a call can carry one.
 * @throws Error for a route without a description: each one has to state its parameters here
 */
export function callsOf(route: string, app: Credentials, ids: Ids): RouteCall[] {
  const [method = '', pattern = ''] = route.split(' ');
  const described = `${method === 'HEAD' ? 'GET' : method} ${pattern}`;
  const call = (path: string, { query = {}, body, form, headers = {} }: Parts): RouteCall => ({
    ...{ method, headers },
    path: Object.keys(query).length === 0 ? path : `${path}?${new URLSearchParams(query).toString()}`,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(form === undefined ? {} : { body: new URLSearchParams(form).toString() }),
  });
  if (operations.includes(described)) return [call(pattern, {})];
  if (described === 'GET /easemob/server.json')
    return [
      call(pattern, { query: { app_key: `${app.org}#${app.name}` } }),
      call(pattern, { query: { app_id: ids.appId } }),
    ];
  const agoraRoute = described.replace(/ \/(:org\/:app|app-id\/:appId)\//, ' /');
  const ofAgora = agoraRoute === described ? undefined : agora[agoraRoute];
  if (ofAgora !== undefined)
    return ofAgora(ids).flatMap((parts) => pathsOf(pattern, app, ids).map((path) => call(path, parts)));
  const ofQiscus = qiscus[withoutPrefix(described)];
  if (ofQiscus === undefined) throw new Error(`no description of ${route} in test/support/route-calls.ts`);
  const parameters = ofQiscus(ids);
  const inQuery = call(`${pattern}?${formOf(parameters)}`, {});
  return method === 'HEAD' ? [inQuery] : [inQuery, call(pattern, { body: parameters })];
}

function withoutPrefix(route: string): string {
  return route
    .replace(/ \/api(?=\/v2\/rest\/)/, ' ')
    .replace(/ \/api\/v2\.1\//, ' /')
    .replace(/ \/api\/v2(\/sdk|\/mobile)?\//, ' /');
}

/** With each id that a parameter of the path can be. */
function pathsOf(pattern: string, app: Credentials, ids: Ids): string[] {
  const values: Readonly<Record<string, readonly string[]>> = {
    ...{ org: [app.org], app: [app.name], appId: [app.appId] },
    ...{
      username: [ids.username, ids.uuid],
      friend: [ids.other],
      usernames: [ids.username, `${ids.username},${ids.other}`],
    },
    ...{ id: [pattern.includes('/chatrooms/') ? ids.roomId : ids.groupId] },
    ...{
      resource: [ids.resource],
      messageId: [ids.messageId],
      operationId: [ids.operationId],
      status: ['1'],
      expiry: ['600'],
    },
  };
  return pattern.split('/').reduce<string[]>(
    (paths, segment, index) => {
      if (index === 0) return paths;
      const filled = segment.startsWith(':') ? values[segment.slice(1)] : [segment];
      if (filled === undefined) throw new Error(`no value for ${segment} of ${pattern} in test/support/route-calls.ts`);
      return paths.flatMap((path) => filled.map((value) => `${path}/${value}`));
    },
    [''],
  );
}

function formOf(parameters: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]): [string, string][] =>
    Array.isArray(value) ? value.map((one) => [`${name}[]`, String(one)]) : [[name, String(value)]],
  );
  return new URLSearchParams(pairs).toString();
}
