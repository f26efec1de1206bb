import { Injectable } from '@nestjs/common';
import type { AuditValues } from '../audit/audit-entry.js';
import type { AppSettings } from './app.js';
import { defaultAppSettings } from './app-settings.js';
import { AppsRepository } from './apps.repository.js';

/** Takes back changes of app settings where nobody has changed them since. Every node notices within a second. */
@Injectable()
export class AppUndoService {
  constructor(private readonly repository: AppsRepository) {}

  /** Whether an entry of the audit trail is about settings alone: an alias or a secret is not restored. */
  canRestore(before: AuditValues, after: AuditValues): boolean {
    const names = Object.keys({ ...before, ...after });
    return names.length > 0 && names.every((name) => Object.hasOwn(defaultAppSettings, name));
  }

  /** Restores the settings `before` if all of them are still as in `after`. */
  async restore(appId: string, before: AuditValues, after: AuditValues): Promise<'changed' | 'changed_since'> {
    const names = Object.keys({ ...before, ...after }) as (keyof AppSettings)[];
    let result: 'changed' | 'changed_since' = 'changed_since';
    await this.repository.update(appId, 'app.change', ({ settings }) => {
      result = names.every((name) => settings[name] === after[name]) ? 'changed' : 'changed_since';
      if (result === 'changed_since') return {};
      const restored = names.map((name) => [name, before[name] ?? defaultAppSettings[name]]);
      return { settings: { ...settings, ...(Object.fromEntries(restored) as Partial<AppSettings>) } };
    });
    return result;
  }
}
