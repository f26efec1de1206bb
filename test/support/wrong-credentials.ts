import { randomBytes } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import { issuer, JsonWebTokens, jwtOptions } from '../../src/auth/json-web-tokens.js';
import { deriveSigningKey } from '../../src/auth/signing-key.js';
import { signIdentity, type Tenant } from './tenant.js';
import { tokenOf } from './tokens.js';

const jsonWebTokens = new JsonWebTokens(new JwtService(jwtOptions));

/** Other apps beside the victim's, whose data none of them may see. All have users of the same names. */
export interface Neighbourhood {
  readonly victim: Tenant;
  /** In the victim's organisation. */
  readonly sibling: Tenant;
  /** In the victim's organisation, and disabled. */
  readonly disabled: Tenant;
  /** In another organisation. */
  readonly stranger: Tenant;
  /** A certificate that the victim used to have. */
  readonly retired: string;
  /** Signed with a used nonce. */
  readonly usedIdentityToken: string;
}

export interface WrongCredential {
  readonly kind: string;
  /** The app that the path or the header names. */
  readonly app: Tenant;
  readonly headers: Readonly<Record<string, string>>;
  /** For a route with credentials in its body or path. */
  readonly body?: Readonly<Record<string, unknown>>;
}

const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });

/** For routes that require an app token of the Agora dialect. */
export function wrongAppTokens(all: Neighbourhood): WrongCredential[] {
  const { victim, sibling, disabled, stranger, retired } = all;
  const { appId, certificate } = victim.credentials;
  const presented: [string, Readonly<Record<string, string>>][] = [
    ['none', {}],
    ['none', { authorization: 'Bearer ' }],
    ['garbage', bearer('garbage')],
    ['garbage', bearer(randomBytes(200).toString('base64url'))],
    ['another scheme', { authorization: `Basic ${Buffer.from(`${appId}:${certificate}`).toString('base64')}` }],
    ['the certificate itself', bearer(certificate)],
    ['expired', bearer(jsonWebToken(victim, { life: 'over' }))],
    ['revoked', bearer(jsonWebToken(victim, { certificate: retired }))],
    ['revoked', bearer(appToken2(victim, retired))],
    ['of a disabled app', bearer(disabled.appToken)],
    ['of a disabled app', bearer(disabled.appAccessToken2)],
    ['of another app in the organization', bearer(sibling.appToken)],
    ['of another app in the organization', bearer(sibling.appAccessToken2)],
    ['of another organization', bearer(stranger.appToken)],
    ['of another organization', bearer(stranger.appAccessToken2)],
    ['of another organization, made for this app', bearer(jsonWebToken(stranger, { audience: victim.application }))],
    ['of another organization, made for this app', bearer(appToken2(victim, stranger.credentials.certificate))],
    ['a user token', bearer(victim.userJwt)],
    ['a user token', bearer(victim.ids.userToken)],
    ['a user token', bearer(victim.ids.userAccessToken2)],
    ['a user token that was revoked', bearer(victim.ended.userJwt)],
    ['a refresh token', bearer(victim.ids.refreshToken)],
    ['an identity token', bearer(victim.ids.identityToken)],
    ['of the other dialect', { 'qiscus-sdk-app-id': appId, 'qiscus-sdk-secret': certificate }],
  ];
  return [
    ...presented.map(([kind, headers]) => ({ kind, app: victim, headers })),
    { kind: 'of the victim, in a path of another app', app: sibling, headers: bearer(victim.appToken) },
    { kind: 'of the victim, in a path of another app', app: stranger, headers: bearer(victim.appAccessToken2) },
    { kind: 'of a disabled app, in its own path', app: disabled, headers: bearer(disabled.appToken) },
  ];
}

/** For routes that a user's own token opens as well, in the victim's app, but not another user's. */
export function wrongOwnTokens(all: Neighbourhood): WrongCredential[] {
  const { victim, sibling } = all;
  const isOwn = ({ kind, app }: { kind: string; app: Tenant }) => app === victim && kind === 'a user token';
  return [
    ...wrongAppTokens(all).filter((wrong) => !isOwn(wrong)),
    ...wrongUserTokens(all).flatMap(({ kind, app, token }) =>
      kind === 'an app token' || app !== victim ? [] : { kind, app, headers: bearer(token) },
    ),
    { kind: 'of another user', app: victim, headers: bearer(tokenOf(victim.credentials, victim.names.other)) },
    { kind: 'of the user, in an app without user tokens', app: sibling, headers: bearer(sibling.userJwt) },
  ];
}

/** For `POST …/token`. */
export function wrongGrants(all: Neighbourhood): WrongCredential[] {
  const { victim, sibling, disabled, stranger, retired } = all;
  const { username } = victim.names;
  const pairs: [string, string, string][] = [
    ['none', victim.ids.appId, ''],
    ['garbage', victim.ids.appId, 'garbage'],
    ['the App ID for the certificate', victim.ids.appId, victim.ids.appId],
    ['revoked', victim.ids.appId, retired],
    ['of a disabled app', disabled.ids.appId, disabled.ids.certificate],
    ['of another app in the organization', sibling.ids.appId, sibling.ids.certificate],
    ['of another app in the organization', victim.ids.appId, sibling.ids.certificate],
    ['of another organization', stranger.ids.appId, stranger.ids.certificate],
    ['of another organization', victim.ids.appId, stranger.ids.certificate],
    ['half of the second pair', 'YXA6victim', victim.ids.certificate],
    ['half of the second pair', 'YXA6victim', ''],
  ];
  const tokens = wrongAppTokens(all);
  return [
    ...pairs.map(([kind, client_id, client_secret]) => ({
      ...{ kind, app: victim, headers: {}, body: { grant_type: 'client_credentials', client_id, client_secret } },
    })),
    ...wrongPasswords(all).map(({ user, word, ...wrong }) => ({
      ...{ ...wrong, headers: {}, body: { grant_type: 'password', username: user, password: word } },
    })),
    ...tokens.map((wrong) => ({ ...wrong, body: { grant_type: 'inherit', username } })),
    ...tokens.map((wrong) => ({
      ...wrong,
      body: { grant_type: 'inherit', username: `new-${username}`, autoCreateUser: true },
    })),
    // A user may exchange their own AccessToken2.
    ...tokens
      .filter(({ kind }) => kind !== 'a user token')
      .map((wrong) => ({ ...wrong, body: { grant_type: 'agora' } })),
    {
      ...{ kind: 'a user token that was revoked', app: victim, body: { grant_type: 'agora' } },
      headers: bearer(tokenOf(victim.credentials, victim.names.banned)),
    },
    { kind: 'in the path of another app', app: sibling, headers: {}, body: grantOf(victim) },
    { kind: 'in the path of another app', app: stranger, headers: {}, body: grantOf(victim) },
    { kind: 'of a disabled app, in its own path', app: disabled, headers: {}, body: grantOf(disabled) },
  ];
}

/** For Qiscus routes that require the secret. */
export function wrongSecrets(all: Neighbourhood): WrongCredential[] {
  const { victim, sibling, disabled, stranger, retired } = all;
  const { appId, certificate } = victim.credentials;
  const appHeader = { 'qiscus-sdk-app-id': appId };
  const secret = (text: string) => ({ ...appHeader, 'qiscus-sdk-secret': text });
  const presented: [string, Readonly<Record<string, string>>][] = [
    ['none', {}],
    ['none', appHeader],
    ['garbage', secret('garbage')],
    ['garbage', { 'qiscus-sdk-app-id': 'garbage', 'qiscus-sdk-secret': 'garbage' }],
    ['revoked', secret(retired)],
    ['revoked', { 'qiscus-sdk-secret': retired }],
    ['the App ID for the secret', secret(appId)],
    ['of a disabled app', secret(disabled.credentials.certificate)],
    ['of another app in the organization', secret(sibling.credentials.certificate)],
    ['of another organization', secret(stranger.credentials.certificate)],
    [
      'of another organization, by the sub-domain',
      {
        ...{ host: `${appId}.chat.example`, 'qiscus-sdk-secret': stranger.credentials.certificate },
      },
    ],
    [
      'of another organization, and both App IDs',
      {
        ...{ qiscus_sdk_app_id: appId, 'qiscus-sdk-app-id': stranger.credentials.appId },
        'qiscus-sdk-secret': stranger.credentials.certificate,
      },
    ],
    ['a user token', { ...appHeader, 'qiscus-sdk-token': victim.ids.userToken }],
    ['a user token', secret(victim.ids.userToken)],
    ['an identity token', secret(victim.ids.identityToken)],
    ['of the other dialect', { ...appHeader, ...bearer(victim.appToken) }],
    ['of the other dialect', secret(victim.appToken)],
    [
      'of the victim, for another app',
      { 'qiscus-sdk-app-id': sibling.credentials.appId, 'qiscus-sdk-secret': certificate },
    ],
    [
      'of the victim, for another app',
      { 'qiscus-sdk-app-id': stranger.credentials.appId, 'qiscus-sdk-secret': certificate },
    ],
    [
      'of a disabled app, for itself',
      {
        ...{ 'qiscus-sdk-app-id': disabled.credentials.appId, 'qiscus-sdk-secret': disabled.credentials.certificate },
      },
    ],
  ];
  return presented.map(([kind, headers]) => ({ kind, app: victim, headers }));
}

/** For Qiscus routes that require a user token, and for the gateway. */
export function wrongUserTokens(all: Neighbourhood): { kind: string; app: Tenant; token: string }[] {
  const { victim, sibling, disabled, stranger, retired } = all;
  const { username } = victim.names;
  const presented: [string, string][] = [
    ['garbage', 'garbage'],
    ['garbage', 'x'.repeat(20)],
    ['the certificate itself', victim.credentials.certificate],
    ['expired', jsonWebToken(victim, { life: 'over', user: victim.ids.uuid })],
    ['revoked', jsonWebToken(victim, { certificate: retired, user: victim.ids.uuid })],
    ['revoked', victim.ended.userJwt],
    ['revoked', victim.ended.userToken],
    ['of a banned user', victim.ended.bannedJwt],
    ['of a banned user', victim.ended.bannedToken],
    ['of a banned user', tokenOf(victim.credentials, victim.names.banned)],
    ['of a disabled app', disabled.userJwt],
    ['of a disabled app', disabled.ids.userToken],
    ['of another app in the organization', sibling.userJwt],
    ['of another app in the organization', sibling.ids.userToken],
    ['of another app in the organization', sibling.ids.userAccessToken2],
    ['of another organization', stranger.userJwt],
    ['of another organization', stranger.ids.userToken],
    ['of another organization', stranger.ids.userAccessToken2],
    ['made for this app elsewhere', jsonWebToken(stranger, { audience: victim.application, user: victim.ids.uuid })],
    ['made for this app elsewhere', tokenOf({ ...stranger.credentials, appId: victim.ids.appId }, username)],
    ['an app token', victim.appToken],
    ['an app token', victim.appAccessToken2],
    ['a refresh token', victim.ids.refreshToken],
    ['an identity token', victim.ids.identityToken],
  ];
  return [
    ...presented.map(([kind, token]) => ({ kind, app: victim, token })),
    { kind: 'of the victim, for another app', app: sibling, token: victim.userJwt },
    { kind: 'of the victim, for another app', app: stranger, token: victim.ids.userToken },
    { kind: 'of the victim, for another app', app: stranger, token: victim.ids.userAccessToken2 },
    { kind: 'of a disabled app, for itself', app: disabled, token: disabled.userJwt },
  ];
}

/** As headers of the Qiscus dialect, and their other spellings. */
export function wrongUserHeaders(all: Neighbourhood): WrongCredential[] {
  const { victim } = all;
  const appHeader = { 'qiscus-sdk-app-id': victim.credentials.appId };
  const { username, other } = victim.names;
  const ofAnother = { 'qiscus-sdk-token': victim.ids.userToken, 'qiscus-sdk-user-id': other };
  return [
    { kind: 'none', app: victim, headers: {} },
    { kind: 'none', app: victim, headers: { ...appHeader, 'qiscus-sdk-user-id': username } },
    { kind: 'of the other dialect', app: victim, headers: { ...appHeader, ...bearer(victim.userJwt) } },
    { kind: 'the secret', app: victim, headers: { ...appHeader, 'qiscus-sdk-secret': victim.credentials.certificate } },
    { kind: 'of another user', app: victim, headers: { ...appHeader, ...ofAnother } },
    ...wrongUserTokens(all).map(({ kind, app, token }) => ({
      ...{ kind, app },
      headers: {
        ...{ 'qiscus-sdk-app-id': app.credentials.appId, 'qiscus-sdk-token': token, 'qiscus-sdk-user-id': username },
      },
    })),
  ];
}

/** For the routes with which a Qiscus client logs in, by the last part of their path. */
export function wrongLogins(all: Neighbourhood): Readonly<Record<string, readonly WrongCredential[]>> {
  const { victim, sibling, disabled, stranger, retired } = all;
  const { username, changed, banned } = victim.names;
  const appHeader = (app: Tenant) => ({ 'qiscus-sdk-app-id': app.credentials.appId });
  const claims = { iss: victim.ids.appId, prn: username };
  const identities: [string, Tenant, string][] = [
    ['none', victim, ''],
    ['garbage', victim, 'garbage'],
    ['expired', victim, signIdentity(victim.ids.certificate, { ...claims, nce: nonceOf(victim), exp: 1 })],
    ['used', victim, all.usedIdentityToken],
    ['revoked', victim, signIdentity(retired, { ...claims, nce: nonceOf(victim) })],
    ['of a disabled app', victim, disabled.ids.identityToken],
    ['of a disabled app, for itself', disabled, disabled.ids.identityToken],
    ['of another app in the organization', victim, sibling.ids.identityToken],
    [
      'of another app in the organization',
      victim,
      signIdentity(sibling.ids.certificate, { ...claims, nce: nonceOf(victim) }),
    ],
    ['of another organization', victim, stranger.ids.identityToken],
    [
      'with a nonce of another app',
      victim,
      signIdentity(victim.ids.certificate, { ...claims, nce: nonceOf(stranger) }),
    ],
    [
      'of another issuer',
      victim,
      signIdentity(victim.ids.certificate, { ...claims, iss: stranger.ids.appId, nce: nonceOf(victim) }),
    ],
    ['unsigned', victim, signIdentity('', { ...claims, nce: nonceOf(victim) }, 'none')],
    ['a user token', victim, victim.userJwt],
    ['of the victim, for another app', sibling, victim.ids.identityToken],
    ['of the victim, for another app', stranger, victim.ids.identityToken],
  ];
  const refreshes: [string, Tenant, string, string][] = [
    ['none', victim, username, ''],
    ['garbage', victim, username, 'x'.repeat(40)],
    ['of another user', victim, victim.names.other, victim.ids.refreshToken],
    ['revoked', victim, changed, victim.ended.refreshToken],
    ['of a banned user', victim, banned, victim.ids.refreshToken],
    ['of another app in the organization', victim, username, sibling.ids.refreshToken],
    ['of another organization', victim, username, stranger.ids.refreshToken],
    ['of a disabled app', victim, username, disabled.ids.refreshToken],
    ['of a disabled app, for itself', disabled, username, disabled.ids.refreshToken],
    ['a user token', victim, username, victim.ids.userToken],
    ['of the victim, for another app', sibling, username, victim.ids.refreshToken],
  ];
  return {
    verify_identity_token: identities.map(([kind, app, identity_token]) => ({
      ...{ kind, app, headers: appHeader(app), body: { identity_token } },
    })),
    refresh_user_token: refreshes.map(([kind, app, user_id, refresh_token]) => ({
      ...{ kind, app, headers: appHeader(app), body: { user_id, refresh_token } },
    })),
    login_or_register: wrongPasswords(all).map(({ user, word, kind, app }) => ({
      ...{ kind, app, headers: appHeader(app), body: { email: user, password: word } },
    })),
  };
}

function wrongPasswords({ victim, sibling, disabled, stranger }: Neighbourhood) {
  const { username, changed, banned, other } = victim.names;
  const passwords: [string, Tenant, string, string][] = [
    ['none', victim, username, ''],
    ['garbage', victim, username, 'garbage'],
    ['the name for the password', victim, other, other],
    ['revoked', victim, changed, victim.ended.password],
    ['of a banned user', victim, banned, victim.ids.password],
    ['of another app in the organization', victim, username, sibling.ids.password],
    ['of another organization', victim, username, stranger.ids.password],
    ['of a disabled app', victim, username, disabled.ids.password],
    ['of a disabled app, for itself', disabled, username, disabled.ids.password],
    ['a user token', victim, other, victim.ids.userToken],
    ['of the victim, for another app', sibling, username, victim.ids.password],
    ['of the victim, for another app', stranger, username, victim.ids.password],
  ];
  return passwords.map(([kind, app, user, word]) => ({ kind, app, user, word }));
}

function grantOf({ ids }: Tenant) {
  return { grant_type: 'client_credentials', client_id: ids.appId, client_secret: ids.certificate };
}

/** The nonce in an identity token of this app, still unused. */
function nonceOf({ ids }: Tenant): string {
  const [, payload = ''] = ids.identityToken.split('.');
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { nce: string }).nce;
}

function appToken2({ credentials }: Tenant, certificate: string): string {
  return tokenOf({ appId: credentials.appId, certificate });
}

/** A JWT as Rollcall signs it. */
function jsonWebToken(
  { application, credentials }: Tenant,
  { certificate = credentials.certificate, audience = application, life = 'now' as 'now' | 'over', user = '' },
): string {
  const iat = Math.floor(Date.now() / 1_000) - (life === 'over' ? 120 : 0);
  const common = {
    iss: issuer,
    aud: audience,
    jti: randomBytes(12).toString('base64url'),
    iat,
    exp: iat + 60,
  } as const;
  const key = deriveSigningKey(application, certificate);
  return user === ''
    ? jsonWebTokens.sign({ ...common, use: 'app' }, key)
    : jsonWebTokens.sign({ ...common, use: 'user', sub: user, epoch: 0 }, key);
}
