import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { AuditAction } from '../audit/audit-entry.js';
import { Clock } from '../clock/clock.js';
import { type BootstrapApp, Env } from '../config/env.js';
import { UniqueViolation } from '../database/database.js';
import { AppError } from '../errors/app-error.js';
import type { App, AppSettings, ClientCredentials } from './app.js';
import { isLegalName, parseAppName } from './app-name.js';
import { defaultAppSettings, parseAppSetting } from './app-settings.js';
import { AppsRepository } from './apps.repository.js';
import { hashCertificate } from './certificate-hash.js';

export interface NewApp {
  readonly org: string;
  readonly name: string;
  readonly appId?: string;
  readonly certificate?: string;
  readonly alias?: string | null;
}

type MaybeLater<Value> = Value | Promise<Value>;

interface RememberedApp {
  app: MaybeLater<App | null>;
  /** Monotonic milliseconds. */
  readonly until: number;
}

/** How long an app is cached: the longest time for which a change on another node goes unnoticed. */
const rememberedMs = 1000;
const maxRemembered = 10_000;

/** Owns the apps: their names, credentials and settings. */
@Injectable()
export class AppsService {
  private readonly logger = new Logger('Apps');
  private readonly remembered = new LRUCache<string, RememberedApp>({ max: maxRemembered });

  constructor(
    private readonly repository: AppsRepository,
    private readonly clock: Clock,
    private readonly env: Env,
  ) {}

  /**
   * The app `org/name`, or null; at most a second old. Every call needs it, so a cached app is returned without a
   * promise.
   */
  find(org: string, name: string): MaybeLater<App | null> {
    if (!isLegalName(org) || !isLegalName(name)) return null;
    return this.remember(`name ${org}/${name}`, () => this.repository.findByName(org, name));
  }

  /** The app with this App ID (32 hex digits in any case), or null; at most a second old. */
  findByAppId(appId: string): MaybeLater<App | null> {
    if (!hex32.test(appId)) return null;
    const publicId = appId.toLowerCase();
    return this.remember(`id ${publicId}`, () => this.repository.findByPublicId(publicId));
  }

  /** The app with this alias, or null; at most a second old. */
  findByAlias(alias: string): MaybeLater<App | null> {
    if (!isLegalName(alias)) return null;
    return this.remember(`alias ${alias}`, () => this.repository.findByAlias(alias));
  }

  /** The app with this certificate, provided that no other app has the same one, or null; at most a second old. */
  findByCertificate(certificate: string): MaybeLater<App | null> {
    if (!hex32.test(certificate)) return null;
    // What callers guess must not fill the cache.
    return this.remember(`certificate ${hashCertificate(certificate)}`, async () => {
      const [app, another] = await this.repository.findByCertificate(certificate);
      return another === undefined ? (app ?? null) : null;
    });
  }

  list(): Promise<App[]> {
    return this.repository.list();
  }

  /**
   * Creates an app, drawing missing credentials at random.
   * @throws AppError argument_invalid for an invalid or taken name, credential or alias
   */
  async create(wanted: NewApp): Promise<App> {
    const { org, name } = parseAppName(`${wanted.org}/${wanted.name}`);
    const app: App = {
      id: randomUUID(),
      org,
      name,
      appId: checkHex('App ID', wanted.appId ?? randomHex()).toLowerCase(),
      certificates: [checkHex('App certificate', wanted.certificate ?? randomHex())],
      alias: checkAlias(wanted.alias ?? null),
      clientCredentials: null,
      tokenSecret: randomTokenSecret(),
      disabled: false,
      settings: defaultAppSettings,
      createdAt: this.clock.now(),
    };
    try {
      await this.repository.insert(app);
    } catch (error) {
      throw error instanceof UniqueViolation ? taken(`${org}/${name}, its App ID or its alias`) : error;
    }
    this.remembered.clear();
    return app;
  }

  /**
   * Changes one property of an app: a setting, `alias` (empty: none), `disabled`, `previous_certificate=none`, which
   * ends the older certificate of a rotation, `token_secret=new`, which ends all user tokens of 20 characters, or
   * `client_secret`. `client_id` is set together with its `client_secret`; empty, it ends both.
   * @throws AppError argument_invalid
   */
  set(app: App, key: string, text: string): Promise<App> {
    return this.setAll(app, [[key, text]]);
  }

  /** Changes several properties of an app, all or none. @throws AppError argument_invalid */
  setAll(app: App, changes: readonly (readonly [key: string, text: string])[]): Promise<App> {
    return this.update(app, 'app.change', (now) => {
      const changed = changes.reduce<App>((so, [key, text]) => ({ ...so, ...changeOf(so, key, text) }), now);
      checkPair(changed.clientCredentials);
      return changed;
    });
  }

  /** Draws a new certificate, which signs from now on. The previous one remains valid until the next rotation. */
  rotate(app: App): Promise<App> {
    return this.update(app, 'app.rotate', ({ certificates }) => ({
      certificates: [randomHex(), certificates[0] as string],
    }));
  }

  /**
   * For use after a leak: whatever was made from a copy of the app's secrets, or was obtained with them, becomes
   * invalid. It is one step, so that the old certificate cannot be used meanwhile to obtain something under the new
   * one. A second pair of credentials is removed.
   */
  replaceSecrets(app: App): Promise<App> {
    return this.update(app, 'app.replace_secrets', () => ({
      certificates: [randomHex()],
      tokenSecret: randomTokenSecret(),
      clientCredentials: null,
    }));
  }

  /**
   * Rewrites the secrets of all apps as they would be sealed today. Safe to run beside running nodes, and to repeat.
   * @throws UnopenedSecret
   */
  reseal(): Promise<{ apps: number; changed: number }> {
    return this.repository.reseal();
  }

  /**
   * Creates the apps of the environment, or the demo app if there would be none. Safe on many nodes at once.
   * @throws UnopenedSecret of any app: no start is better than one that fails for some apps
   */
  async bootstrap(): Promise<void> {
    await this.repository.list();
    for (const app of this.env.bootstrapApps) warnOfDifferences(await this.createIfMissing(app), app, this.logger);
    if (!(await this.repository.hasAny())) await this.createIfMissing({ org: 'demo', name: 'demo' });
  }

  private async createIfMissing(wanted: BootstrapApp | NewApp): Promise<App> {
    const existing = await this.repository.findByName(wanted.org, wanted.name);
    if (existing !== null) return existing;
    try {
      return await this.create(wanted);
    } catch (error) {
      // Another node may have been faster. Anything else is a conflict that the operator must see.
      const quicker = await this.repository.findByName(wanted.org, wanted.name);
      if (quicker === null) throw error;
      return quicker;
    }
  }

  /** `change` is given the app as it is now, not as the caller has read it, because others change apps as well. */
  private async update({ id, org, name }: App, action: AuditAction, change: (now: App) => Partial<App>): Promise<App> {
    try {
      const changed = await this.repository.update(id, action, change);
      if (changed === null) throw new AppError('argument_invalid', { detail: `there is no app ${org}/${name}` });
      this.remembered.clear();
      return changed;
    } catch (error) {
      throw error instanceof UniqueViolation ? taken('this alias') : error;
    }
  }

  private remember(key: string, find: () => Promise<App | null>): MaybeLater<App | null> {
    const now = this.clock.monotonic();
    const known = this.remembered.get(key);
    if (known !== undefined && now < known.until) return known.app;
    const app = find();
    const entry: RememberedApp = { app, until: now + rememberedMs };
    app.then(
      (found) => (entry.app = found),
      // Failures are not cached: the next caller asks again.
      () => this.remembered.delete(key),
    );
    this.remembered.set(key, entry);
    return app;
  }
}

/**
 * Existing apps stay as they are: the environment only creates apps, although an operator may expect it to change them.
 */
function warnOfDifferences(app: App, wanted: BootstrapApp, logger: Logger): void {
  const differing = [
    ...(app.appId === wanted.appId ? [] : ['App ID']),
    // The older one of a rotation still counts.
    ...(app.certificates.includes(wanted.certificate) ? [] : ['App certificate']),
    ...(app.alias === wanted.alias ? [] : ['alias']),
  ];
  if (differing.length > 0)
    logger.warn(
      `BOOTSTRAP_APPS and the database disagree on ${app.org}/${app.name}: ${differing.join(', ')}. The database is right.`,
    );
}

function changeOf(app: App, key: string, text: string): Partial<App> {
  switch (key) {
    case 'alias':
      return { alias: checkAlias(text === '' ? null : text) };
    case 'disabled':
      if (text !== 'true' && text !== 'false')
        throw new AppError('argument_invalid', { detail: 'disabled must be true or false' });
      return { disabled: text === 'true' };
    case 'previous_certificate':
      if (text !== 'none')
        throw new AppError('argument_invalid', { detail: 'previous_certificate can only be set to none' });
      return { certificates: app.certificates.slice(0, 1) };
    case 'client_id':
      return { clientCredentials: text === '' ? null : { id: checkClientId(text), secret: '' } };
    case 'client_secret':
      return { clientCredentials: { id: app.clientCredentials?.id ?? '', secret: checkClientSecret(text) } };
    case 'token_secret':
      if (text !== 'new') throw new AppError('argument_invalid', { detail: 'token_secret can only be set to new' });
      return { tokenSecret: randomTokenSecret() };
    default: {
      const settings: AppSettings = { ...app.settings, ...parseAppSetting(key, text) };
      return { settings };
    }
  }
}

const hex32 = /^[0-9a-fA-F]{32}$/;

function randomHex(): string {
  return randomBytes(16).toString('hex');
}

function randomTokenSecret(): string {
  return randomBytes(32).toString('hex');
}

function checkHex(what: string, text: string): string {
  if (!hex32.test(text)) throw new AppError('argument_invalid', { detail: `the ${what} must be 32 hex digits` });
  return text;
}

function checkAlias(alias: string | null): string | null {
  if (alias !== null && !isLegalName(alias))
    throw new AppError('argument_invalid', { detail: 'an alias is 1 to 64 of A-Z a-z 0-9 . _ -' });
  return alias;
}

function checkClientId(id: string): string {
  if (!/^[\w.-]{1,64}$/.test(id) || hex32.test(id))
    throw new AppError('argument_invalid', {
      detail: 'client_id must be 1 to 64 of A-Z a-z 0-9 . _ -, and not the 32 hex digits of an App ID',
    });
  return id;
}

function checkClientSecret(secret: string): string {
  if (!/^[\x21-\x7e]{16,128}$/.test(secret))
    throw new AppError('argument_invalid', {
      detail: 'client_secret must be 16 to 128 ASCII characters without spaces',
    });
  return secret;
}

function checkPair(pair: ClientCredentials | null): void {
  if (pair !== null && (pair.id === '' || pair.secret === ''))
    throw new AppError('argument_invalid', {
      detail: 'client_id and client_secret are set in one call: client_id=… client_secret=…',
    });
}

function taken(what: string): AppError {
  return new AppError('argument_invalid', { detail: `${what} is already taken` });
}
