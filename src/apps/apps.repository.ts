import { Injectable } from '@nestjs/common';
import type { AuditAction } from '../audit/audit-entry.js';
import { AuditTrail } from '../audit/audit-trail.service.js';
import { Env } from '../config/env.js';
import { Database } from '../database/database.js';
import type { App, AppSettings } from './app.js';
import { appEntryOf } from './app-audit.js';
import { defaultAppSettings } from './app-settings.js';
import type { AppRow } from './app.entity.js';
import { hashCertificate } from './certificate-hash.js';
import { Seal, type SealedSecrets } from './seal.js';

const rowsPerStep = 500;

/** Queries for apps. These rows belong to no app: they are the apps. Secrets are sealed only in the rows. */
@Injectable()
export class AppsRepository {
  private readonly seal: Seal;

  constructor(
    private readonly database: Database,
    private readonly audit: AuditTrail,
    env: Env,
  ) {
    this.seal = Seal.of(env);
  }

  async findByName(org: string, name: string): Promise<App | null> {
    return this.findOne('org = ? AND name = ?', [org, name]);
  }

  async findByPublicId(publicId: string): Promise<App | null> {
    return this.findOne('public_id = ?', [publicId]);
  }

  async findByAlias(alias: string): Promise<App | null> {
    return this.findOne('alias = ?', [alias]);
  }

  /** Apps with this current certificate, in any case of its digits: all of them, or at least two. */
  async findByCertificate(certificate: string): Promise<App[]> {
    const hash = hashCertificate(certificate);
    const rows = await this.database.read<AppRow>(
      'SELECT * FROM apps WHERE certificate_hash = ?' +
        ' UNION ALL SELECT * FROM apps WHERE previous_certificate_hash = ? LIMIT 4',
      [hash, hash],
    );
    // When an older version changes a certificate, it leaves the hash as it was.
    const found = rows
      .map((row) => this.toApp(row))
      .filter(({ certificates }) => certificates.some((one) => hashCertificate(one) === hash));
    return [...new Map(found.map((app) => [app.id, app])).values()];
  }

  /** Fills in the hashes of certificates that are missing or outdated, in small steps. */
  async correctHashes(): Promise<void> {
    for (let afterId: string | undefined = ''; afterId !== undefined;) {
      const rows: AppRow[] = await this.database.read<AppRow>('SELECT * FROM apps WHERE id > ? ORDER BY id LIMIT ?', [
        afterId,
        rowsPerStep,
      ]);
      const outdated = rows.flatMap((row) => {
        const hashes = hashesOf(this.seal.openAll(row));
        const right = hashes[0] === row.certificate_hash && hashes[1] === row.previous_certificate_hash;
        return right ? [] : [[...hashes, row.id, row.certificate]];
      });
      if (outdated.length > 0)
        await this.database.write(async (transaction) => {
          for (const values of outdated)
            await transaction.run(
              'UPDATE apps SET certificate_hash = ?, previous_certificate_hash = ? WHERE id = ? AND certificate = ?',
              values,
            );
        });
      afterId = rows.length < rowsPerStep ? undefined : rows.at(-1)?.id;
    }
  }

  async list(): Promise<App[]> {
    const rows = await this.database.read<AppRow>('SELECT * FROM apps ORDER BY org, name');
    return rows.map((row) => this.toApp(row));
  }

  async hasAny(): Promise<boolean> {
    return (await this.database.read('SELECT id FROM apps LIMIT 1')).length > 0;
  }

  /** @throws UniqueViolation if the name, the App ID or the alias is taken */
  async insert(app: App): Promise<void> {
    const [certificate_hash, previous_certificate_hash] = hashesOf(secretsOf(app));
    // Every column, or it does not compile.
    const row: AppRow = {
      id: app.id,
      org: app.org,
      name: app.name,
      public_id: app.appId,
      ...this.sealed(app),
      certificate_hash,
      previous_certificate_hash,
      alias: app.alias,
      client_id: app.clientCredentials?.id ?? null,
      disabled: 0,
      settings: settingsJson(app.settings),
      created_at: app.createdAt,
    };
    await this.database.write(async (transaction) => {
      await transaction.insert('apps', Object.keys(row), [{ ...row }]);
      await this.audit.record(transaction, app.id, [
        { action: 'app.create', target: `${app.org}/${app.name}`, after: { app_id: app.appId, alias: app.alias } },
      ]);
    });
  }

  /**
   * Changes an app under its lock; `change` is given the app as it is now. @returns the changed app; null if there is
   * none. @throws UniqueViolation if the alias is taken, and whatever `change` throws
   */
  update(id: string, action: AuditAction, change: (app: App) => Partial<App>): Promise<App | null> {
    return this.database.write(async (transaction) => {
      const [row] = await transaction.read<AppRow>(
        `SELECT * FROM apps WHERE id = ?${this.database.dialect.forUpdate}`,
        [id],
      );
      if (row === undefined) return null;
      const before = this.toApp(row);
      const app = { ...before, ...change(before) };
      const sealed = this.sealed(app);
      await transaction.run(
        'UPDATE apps SET certificate = ?, previous_certificate = ?, certificate_hash = ?,' +
          ' previous_certificate_hash = ?, alias = ?, token_secret = ?, client_id = ?, client_secret = ?,' +
          ' disabled = ?, settings = ? WHERE id = ?',
        [
          sealed.certificate,
          sealed.previous_certificate,
          ...hashesOf(secretsOf(app)),
          app.alias,
          sealed.token_secret,
          app.clientCredentials?.id ?? null,
          sealed.client_secret,
          app.disabled ? 1 : 0,
          settingsJson(app.settings),
          app.id,
        ],
      );
      const entry = appEntryOf(action, before, app);
      if (entry !== null) await this.audit.record(transaction, app.id, [entry]);
      return app;
    });
  }

  /**
   * Rewrites the secrets of each app as they would be sealed today, one app per transaction, so that other processes
   * may change apps meanwhile and this may be interrupted and run again.
   * @throws UnopenedSecret
   */
  async reseal(): Promise<{ apps: number; changed: number }> {
    const ids = await this.database.read<{ id: string }>('SELECT id FROM apps ORDER BY id');
    let changed = 0;
    for (const { id } of ids) if (await this.resealOne(id)) changed += 1;
    return { apps: ids.length, changed };
  }

  private resealOne(appId: string): Promise<boolean> {
    return this.database.write(async (transaction) => {
      const [row] = await transaction.read<AppRow>(
        `SELECT * FROM apps WHERE id = ?${this.database.dialect.forUpdate}`,
        [appId],
      );
      if (row === undefined || this.seal.isCurrent(row)) return false;
      const sealed = this.sealed(this.toApp(row));
      await transaction.run(
        'UPDATE apps SET certificate = ?, previous_certificate = ?, token_secret = ?, client_secret = ? WHERE id = ?',
        [sealed.certificate, sealed.previous_certificate, sealed.token_secret, sealed.client_secret, appId],
      );
      return true;
    });
  }

  private async findOne(condition: string, values: string[]): Promise<App | null> {
    const [row] = await this.database.read<AppRow>(`SELECT * FROM apps WHERE ${condition}`, values);
    return row === undefined ? null : this.toApp(row);
  }

  private sealed(app: App): SealedSecrets {
    return this.seal.sealAll({ id: app.id, ...secretsOf(app) });
  }

  private toApp(row: AppRow): App {
    const opened = this.seal.openAll(row);
    const { certificate, previous_certificate: previous, token_secret: tokenSecret, client_secret: secret } = opened;
    return {
      id: row.id,
      org: row.org,
      name: row.name,
      appId: row.public_id,
      certificates: previous === null ? [certificate] : [certificate, previous],
      alias: row.alias,
      clientCredentials: row.client_id === null || secret === null ? null : { id: row.client_id, secret },
      tokenSecret,
      disabled: row.disabled !== 0,
      settings: { ...defaultAppSettings, ...(JSON.parse(row.settings) as Partial<AppSettings>) },
      createdAt: row.created_at,
    };
  }
}

function secretsOf({ certificates, tokenSecret, clientCredentials }: App): SealedSecrets {
  const [certificate, previous = null] = certificates as [string, string?];
  return {
    certificate,
    previous_certificate: previous,
    token_secret: tokenSecret,
    client_secret: clientCredentials?.secret ?? null,
  };
}

/** Hashes of the opened certificates: an app is found by the same hash whether or not it is sealed. */
function hashesOf({
  certificate,
  previous_certificate: previous,
}: Pick<SealedSecrets, 'certificate' | 'previous_certificate'>): [string, string | null] {
  return [hashCertificate(certificate), previous === null ? null : hashCertificate(previous)];
}

/** Only what differs from the defaults, so that an improved default reaches apps that never chose a value. */
function settingsJson(settings: AppSettings): string {
  const chosen = Object.entries(settings).filter(
    ([key, value]) => value !== defaultAppSettings[key as keyof AppSettings],
  );
  return JSON.stringify(Object.fromEntries(chosen));
}
