/** One request as a client library sends it, and how that library reads the answer. */
export interface Step {
  /**
   * `METHOD PATH`, the headers, a blank line, the body: as on the wire except for Host and Content-Length. `{p}` is
   * `/org/app`, `{token}` an app token, `{own}` a token of the first user; other names in braces are users of the flow
   * (`{u1}` to `{u3}`), credentials, or values saved by an earlier step.
   */
  readonly sends: string;
  /** The members that the library reads, by path, and the expected values. Names in braces as above. */
  readonly reads?: Readonly<Record<string, unknown>>;
  /** Values for later requests: the path of a member. */
  readonly keeps?: Readonly<Record<string, string>>;
  readonly status?: number;
}

export interface Flow {
  readonly client: string;
  readonly steps: readonly Step[];
}

const json = 'Content-Type: application/json';
const bearer = 'Authorization: Bearer {token}';
const own = 'Authorization: Bearer {own}';
/** Any string, any number. */
export const someText = Symbol('some text');
export const someNumber = Symbol('some number');
/** The member is absent: this ends a loop over pages. */
export const absent = Symbol('absent');

/** Based on what is known of public clients: what each one sends, and which members it depends on. */
export const flows: readonly Flow[] = [
  {
    client: "PHP, the vendor's library",
    steps: [
      {
        // JSON sent with a form Content-Type, as the library sets none itself.
        sends:
          'POST {p}/token\nContent-Type: application/x-www-form-urlencoded\n\n{"grant_type":"client_credentials","client_id":"{appId}","client_secret":"{certificate}","ttl":3600}',
        reads: { access_token: someText, expires_in: 3600 },
        keeps: { php: 'access_token' },
      },
      {
        sends: `POST {p}/users\nAuthorization: Bearer {php}\n${json}\n\n[{"username":"{u1}","password":"p"},{"username":"{u2}","password":"p"}]`,
        reads: { 'entities.0.username': '{u1}', 'entities.1.activated': true },
      },
      {
        sends: 'GET {p}/users?limit=2&activated=1\nAuthorization: Bearer {php}\nContent-Type: application/json',
        reads: { 'entities.0.uuid': someText },
      },
      {
        sends: `POST {p}/users/{u1}/deactivate\n${bearer}\nContent-Length: 0`,
        reads: { 'entities.0.activated': false },
      },
      { sends: `POST {p}/users/{u1}/activate\n${bearer}\n${json}\n\n[]`, reads: { action: 'activate user' } },
      {
        sends: `POST {p}/users/{u1}/contacts/users/{u2}\n${bearer}\nContent-Length: 0`,
        reads: { 'entities.0.username': '{u2}' },
      },
      { sends: `GET {p}/users/{u1}/contacts/users\n${bearer}`, reads: { 'data.0': '{u2}', count: 1 } },
      {
        sends: `POST {p}/users/{u1}/blocks/users\n${bearer}\n${json}\n\n{"usernames":["{u2}"]}`,
        reads: { 'data.0': '{u2}' },
      },
      { sends: `GET {p}/users/{u1}/blocks/users\n${bearer}`, reads: { 'data.0': '{u2}' } },
      { sends: `DELETE {p}/users/{u1}/blocks/users/{u2}\n${bearer}`, reads: { 'entities.0.username': '{u2}' } },
      {
        sends: `PUT {p}/metadata/user/{u1}\n${bearer}\nContent-Type: application/x-www-form-urlencoded\n\nnickname=Nick&avatarurl=https%3A%2F%2Fa.test%2Fa.png`,
        reads: { 'data.nickname': 'Nick', 'data.avatarurl': 'https://a.test/a.png' },
      },
      {
        sends: `POST {p}/metadata/user/get\n${bearer}\n${json}\n\n{"targets":["{u1}","{u2}"],"properties":["nickname"]}`,
        reads: { 'data.{u1}.nickname': 'Nick' },
      },
      { sends: `DELETE {p}/users/{u1}\n${bearer}`, reads: { 'entities.0.username': '{u1}' } },
    ],
  },
  {
    client: 'PHP, for Laravel',
    steps: [
      // Open registration, and always a list.
      {
        sends: `POST {p}/users\n${json}\n\n[{"username":"{u1}","password":"p"}]`,
        reads: { 'entities.0.username': '{u1}' },
      },
      {
        sends: `POST {p}/users\n${json}\n\n[{"username":"{u2}","password":"p"}]`,
        reads: { 'entities.0.username': '{u2}' },
      },
      {
        sends: `POST {p}/chatgroups\n${bearer}\n${json}\n\n{"groupname":"g","desc":"what it is for","public":true,"maxusers":"200","approval":"true","owner":"{u1}","members":["{u2}"]}`,
        keeps: { group: 'data.groupid' },
      },
      {
        sends: `GET {p}/chatgroups/{group}\n${bearer}`,
        reads: { 'data.0.description': 'what it is for', 'data.0.membersonly': true, 'data.0.maxusers': 200 },
      },
      {
        sends: `PUT {p}/chatgroups/{group}\n${bearer}\n${json}\n\n{"groupname":"another","description":"changed","maxusers":300}`,
        reads: { 'data.groupname': true, 'data.description': true, 'data.maxusers': true },
      },
      {
        sends: `PUT {p}/users/{u1}\n${bearer}\n${json}\n\n{"nickname":"one"}`,
        reads: { 'entities.0.nickname': 'one' },
      },
      { sends: `POST {p}/users/{u1}/deactivate\n${bearer}\n${json}\n\n[]`, reads: { 'entities.0.activated': false } },
      {
        sends: `DELETE {p}/chatgroups/{group}\n${bearer}\n${json}`,
        reads: { 'data.success': true, 'data.groupid': '{group}' },
      },
    ],
  },
  {
    client: "Java, the vendor's library",
    steps: [
      // No Content-Type for the body.
      {
        sends: `POST {p}/users\n${bearer}\n\n[{"username":"{u1}","password":"p"},{"username":"{u2}","password":"p"},{"username":"{u3}","password":"p"}]`,
        reads: { 'entities.2.username': '{u3}' },
      },
      {
        sends: 'POST {p}/token\n\n{"grant_type":"password","username":"{u1}","password":"p"}',
        reads: { access_token: someText, expires_in: someNumber, 'user.username': '{u1}' },
      },
      {
        sends: `POST {p}/chatgroups\n${bearer}\n\n{"groupname":"g","description":"d","public":false,"scale":null,"maxusers":200,"owner":"{u1}","members":["{u2}","{u3}"]}`,
        keeps: { group: 'data.groupid' },
      },
      {
        sends: `GET {p}/chatgroups/{group}/users?version=v3&limit=1\n${bearer}`,
        reads: { 'data.0': someText, 'data.1': absent, cursor: someText },
        keeps: { cursor: 'cursor' },
      },
      {
        sends: `GET {p}/chatgroups/{group}/users?version=v3&limit=10&cursor={cursor}\n${bearer}`,
        reads: { 'data.0': someText, cursor: absent },
      },
      {
        sends: `POST {p}/chatgroups/{group}/admin\n${bearer}\n\n{"newadmin":"{u2}"}`,
        reads: { 'data.result': 'success', 'data.newadmin': '{u2}' },
      },
      { sends: `GET {p}/chatgroups/{group}/admin\n${bearer}`, reads: { 'data.0': '{u2}' } },
      { sends: `PUT {p}/chatgroups/{group}\n${bearer}\n\n{"newowner":"{u2}"}`, reads: { 'data.newowner': true } },
      {
        sends: `POST {p}/messages?useMsgId=true\n${bearer}\n\n{"target_type":"users","target":["{u2}"],"from":"{u1}","msg":{"type":"txt","msg":"hello"}}`,
        reads: { 'data.{u2}': someText },
        keeps: { message: 'data.{u2}' },
      },
      {
        sends: `GET {p}/users/{u2}/offline_msg_status/{message}\n${bearer}`,
        reads: { 'data.{message}': 'undelivered' },
      },
      { sends: `GET {p}/users/{u2}/disconnect/android_1\n${bearer}`, reads: { 'data.result': false } },
      {
        sends: `GET {p}/chatrooms/super_admin?pagenum=1&pagesize=10\n${bearer}`,
        reads: { 'data.0': absent, count: 0 },
      },
      // An unknown user and an unknown route are told apart by these texts.
      {
        sends: `GET {p}/users/nobody\n${bearer}`,
        status: 404,
        reads: { error_description: 'Service resource not found' },
      },
      { sends: `GET {p}/unknown\n${bearer}`, status: 404, reads: { error_description: 'There is no such route' } },
    ],
  },
  {
    client: "Node.js, the vendor's older library",
    steps: [
      { sends: `POST {p}/users\n${bearer}\n${json}\nConnection: close\n\n{"username":"{u1}","password":"p"}` },
      { sends: `POST {p}/users\n${bearer}\n${json}\nConnection: close\n\n{"username":"{u2}","password":"p"}` },
      {
        sends: `POST {p}/messages\n${bearer}\n${json}\nConnection: close\n\n{"target_type":"users","target":["{u2}","{u1}"],"msg":{"type":"txt","msg":"hello"},"from":"{u1}","ext":{"a":1}}`,
        reads: { 'data.{u2}': 'success', 'data.{u1}': 'success' },
      },
      { sends: `GET {p}/users/{u2}/offline_msg_count\n${bearer}\n${json}`, reads: { 'data.{u2}': 1 } },
      {
        sends: `POST {p}/chatrooms\n${bearer}\n${json}\nConnection: close\n\n{"name":"r","description":"d","maxusers":10000,"owner":"{u1}","members":["{u2}"]}`,
        keeps: { room: 'data.id' },
      },
      {
        sends: `PUT {p}/chatrooms/{room}\n${bearer}\n${json}\nConnection: close\n\n{"name":"another","description":"changed","maxusers":5000}`,
        reads: { 'data.groupname': true, 'data.description': true, 'data.maxusers': true },
      },
      // The body has no length and follows a request with Connection: close.
      {
        sends: `DELETE {p}/users/{u2}\n${bearer}\n${json}\nConnection: close\nno length\n\n{}`,
        reads: { action: 'delete' },
      },
      { sends: `GET {p}/users/{u2}\n${bearer}\nConnection: close`, status: 404 },
    ],
  },
  {
    client: 'Go, with credentials of Easemob',
    steps: [
      {
        sends: `POST {p}/token\n${json}\n\n{"grant_type":"client_credentials","client_id":"{clientId}","client_secret":"{clientSecret}","ttl":0}`,
        reads: { access_token: someText, expires_in: someNumber },
      },
      {
        sends: `POST {p}/users\n${bearer}\n${json}\n\n[{"username":"{u1}","password":"{u1}"}]`,
        reads: { 'entities.0.username': '{u1}', 'data.0': absent },
      },
      {
        sends: `POST {p}/users\n${bearer}\n${json}\n\n[{"username":"{u1}","password":"p"},{"username":"{u2}","password":"p"}]`,
        reads: { 'entities.0.username': '{u2}', 'data.0.registerUserFailReason': 'the {u1} already exists' },
      },
      {
        // Unset members are 0 and false in Go.
        sends: `POST {p}/chatgroups\n${bearer}\n${json}\n\n{"groupname":"g","desc":"d","public":false,"maxusers":0,"allowinvites":false,"members_only":true,"owner":"{u1}"}`,
        keeps: { group: 'data.groupid' },
      },
      {
        sends: `GET {p}/chatgroups/{group}\n${bearer}\n${json}`,
        reads: { 'data.0.membersonly': true, 'data.0.maxusers': 200 },
      },
      { sends: `POST {p}/chatgroups/{group}/users/{u2}\n${bearer}\n${json}`, reads: { 'data.result': true } },
      {
        sends: `POST {p}/chatgroups/{group}/blocks/users/{u2}\n${bearer}\n${json}`,
        reads: { 'data.result': true, 'data.user': '{u2}' },
      },
      { sends: `GET {p}/chatgroups/{group}/blocks/users\n${bearer}\n${json}`, reads: { 'data.0': '{u2}' } },
      {
        sends: `DELETE {p}/chatgroups/{group}/blocks/users/{u2}\n${bearer}\n${json}`,
        reads: { 'data.result': true, 'data.user': '{u2}' },
      },
      {
        sends: `PUT {p}/users/{u1}\n${bearer}\n${json}\n\n{"notification_display_style":1,"notification_no_disturbing":true,"notification_no_disturbing_start":1,"notification_no_disturbing_end":3}`,
        reads: { 'entities.0.notification_display_style': 1, 'entities.0.notification_no_disturbing_end': 3 },
      },
      {
        sends: `GET {p}/users/{u1}\n${bearer}\n${json}`,
        reads: { 'entities.0.notification_no_disturbing': true, 'entities.0.notification_no_disturbing_start': 1 },
      },
    ],
  },
  {
    client: 'Python',
    steps: [
      { sends: `POST {p}/users/\n${bearer}\n${json}\n\n{"username":"{u1}","password":"p","nickname":"one"}` },
      { sends: `POST {p}/users/\n${bearer}\n${json}\n\n{"username":"{u2}","password":"p"}` },
      {
        sends: `POST {p}/chatgroups\n${bearer}\n${json}\n\n{"groupname":"g","desc":"d","public":"true","approval":"false","owner":"{u1}","maxusers":"300"}`,
        keeps: { group: 'data.groupid' },
      },
      {
        sends: 'POST {p}/token\n\n{"grant_type":"password","username":"{u1}","password":"p"}',
        keeps: { own: 'access_token' },
      },
      // The user's own token works for the user's own data, and for nobody else's.
      { sends: `GET {p}/users/{u1}/joined_chatgroups\n${own}`, reads: { 'data.0.groupid': '{group}' } },
      { sends: `PUT {p}/users/{u1}\n${own}\n${json}\n\n{"nickname":"me"}`, reads: { 'entities.0.nickname': 'me' } },
      { sends: `POST {p}/users/{u1}/contacts/users/{u2}\n${own}`, reads: { 'entities.0.username': '{u2}' } },
      { sends: `GET {p}/users/{u1}/contacts/users\n${own}`, reads: { 'data.0': '{u2}' } },
      {
        sends: `POST {p}/users/{u1}/blocks/users\n${own}\n${json}\n\n{"usernames":["{u2}"]}`,
        reads: { 'data.0': '{u2}' },
      },
      { sends: `GET {p}/users/{u2}/contacts/users\n${own}`, status: 401 },
      { sends: `DELETE {p}/users/{u1}\n${own}`, status: 401 },
    ],
  },
  {
    client: 'a shell with curl',
    steps: [
      {
        sends: `POST /{p}//users/\n${bearer}\nContent-Type: application/x-www-form-urlencoded\n\n{"username":"{u1}","password":"p"}`,
      },
      { sends: `POST {p}/users\n${bearer}\n\n{"username":"{u2}","password":"p"}` },
      {
        sends: `POST {p}/mutes\n${bearer}\n\n{"username":"{u1}","chat":100,"groupchat":-1,"chatroom":0}`,
        reads: { 'data.result': 'ok' },
      },
      {
        sends: `GET {p}/mutes/{u1}\n${bearer}`,
        reads: { 'data.userid': '{org}#{app}_{u1}', 'data.chat': someNumber, 'data.groupchat': -1, 'data.chatroom': 0 },
      },
      { sends: `GET {p}/mutes?pageNum=1&pageSize=10\n${bearer}`, reads: { 'data.data.0.username': '{u1}' } },
      {
        sends: `POST {p}/users/{u1}/presence/web/0\n${bearer}\n\n{"ext":"away"}`,
        reads: { result: 'ok' },
      },
      {
        sends: `POST {p}/users/{u2}/presence/3600\n${bearer}\n\n{"usernames":["{u1}"]}`,
        reads: { 'result.0.uid': someText, 'result.0.ext': 'away' },
      },
      {
        sends: `GET {p}/users/{u2}/presence/sublist?pageNum=1&pageSize=10\n${bearer}`,
        reads: { 'result.totalnum': '1' },
      },
      { sends: `DELETE {p}/users/{u2}/presence\n${bearer}\n\n["{u1}"]`, reads: { result: 'ok' } },
      {
        sends: 'GET /easemob/server.json?app_key={org}%23{app}',
        reads: { 'rest.hosts.0.domain': '127.0.0.1', 'rest.hosts.0.port': someNumber, 'rest.hosts.0.protocol': 'http' },
      },
    ],
  },
  {
    client: "the vendor's OpenAPI description",
    steps: [
      {
        sends: `POST {p}/users\n${bearer}\n${json}\n\n[{"username":"{u1}","password":"p"},{"username":"{u2}","password":"p"}]`,
      },
      {
        sends: `POST {p}/chatgroups\n${bearer}\n${json}\n\n{"groupname":"g1","description":"d","public":true,"owner":"{u1}"}`,
        keeps: { one: 'data.groupid' },
      },
      {
        sends: `POST {p}/chatgroups\n${bearer}\n${json}\n\n{"groupname":"g2","description":"d","public":true,"owner":"{u2}"}`,
        keeps: { two: 'data.groupid' },
      },
      { sends: `GET {p}/chatgroups/{one},{two}\n${bearer}`, reads: { 'data.1.id': someText, count: 2 } },
      {
        sends: `POST {p}/chatgroups/{one}/announcement\n${bearer}\n${json}\n\n{"announcement":"hello"}`,
        reads: { 'data.result': true },
      },
      { sends: `GET {p}/chatgroups/{one}/announcement\n${bearer}`, reads: { 'data.announcement': 'hello' } },
      { sends: `POST {p}/chatgroups/{one}/users/{u2}\n${bearer}`, reads: { 'data.result': true } },
      {
        sends: `POST {p}/chatgroups/{one}/mute\n${bearer}\n${json}\n\n{"usernames":["{u2}"],"mute_duration":86400000}`,
        reads: { 'data.0.result': true, 'data.0.user': '{u2}', 'data.0.expire': someNumber },
      },
      { sends: `GET {p}/chatgroups/{one}/mute\n${bearer}`, reads: { 'data.0.user': '{u2}' } },
      { sends: `DELETE {p}/chatgroups/{one}/mute/{u2}\n${bearer}`, reads: { 'data.0.result': true } },
      {
        sends: `PUT {p}/push/nickname\n${bearer}\n${json}\n\n[{"username":"{u1}","nickname":"one"}]`,
        reads: { 'entities.0.username': '{u1}' },
      },
      {
        sends: `GET {p}/user/{u1}/contacts?limit=10&needReturnRemark=true\n${bearer}`,
        reads: { 'data.contacts.0': absent },
      },
    ],
  },
  {
    client: 'PHP and Python for Qiscus v2',
    steps: [
      {
        sends:
          'POST /api/v2/rest/login_or_register\nQISCUS_SDK_APP_ID: {appId}\nQISCUS_SDK_SECRET: {certificate}\nContent-Type: application/x-www-form-urlencoded\n\nemail={u1}&password=p&username=One',
        reads: { 'results.user.email': '{u1}', 'results.user.token': someText, status: 200 },
      },
      {
        sends:
          'GET /api/v2/rest/user_profile?user_email={u1}\nQISCUS_SDK_APP_ID: {appId}\nQISCUS_SDK_SECRET: {certificate}',
        reads: { 'results.user.username': 'One' },
      },
      {
        sends:
          'POST /api/v2/rest/reset_user_token\nQISCUS_SDK_APP_ID: {appId}\nQISCUS-SDK-SECRET: {certificate}\nContent-Type: application/x-www-form-urlencoded\n\nuser_email={u1}',
        reads: { 'results.user.token': someText },
      },
    ],
  },
  {
    client: 'Ruby and Go for Qiscus v2.1',
    steps: [
      {
        sends: `POST /api/v2.1/rest/login_or_register\nQiscus-Sdk-App-Id: {appId}\nQiscus_sdk_secret: {certificate}\n${json}\n\n{"user_id":"{u1}","username":"One","password":"","avatar_url":"","extras":null}`,
        reads: { 'results.user.user_id': '{u1}', 'results.user.extras': {} },
      },
      {
        sends: `GET /api/v2.1/rest/get_user_unread_count?user_ids%5B%5D={u1}\nQiscus_sdk_app_id: {appId}\nQiscus_sdk_secret: {certificate}\n${json}`,
        reads: { status: 200 },
      },
      {
        sends: `DELETE /api/v2.1/rest/deactivate_users\nQiscus_sdk_app_id: {appId}\nQiscus_sdk_secret: {certificate}\n${json}\n\n{"user_ids":["{u1}"]}`,
        reads: { status: 200 },
      },
    ],
  },
];
