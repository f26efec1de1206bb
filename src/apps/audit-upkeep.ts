import { Injectable } from '@nestjs/common';
import { AuditSeals } from '../audit/audit-seals.service.js';
import { Minutely } from '../clock/minutely.js';
import { AppsService } from './apps.service.js';

/** Seals the audit trail of every app now and then, and removes what the app keeps no longer. */
@Injectable()
export class AuditUpkeep extends Minutely {
  constructor(
    private readonly apps: AppsService,
    private readonly seals: AuditSeals,
  ) {
    super('Audit', 'seal the audit trail');
  }

  /** @returns how many entries were removed */
  async run(mayGoOn: () => boolean = () => true): Promise<number> {
    let removed = 0;
    for (const { id, settings } of await this.apps.list()) {
      if (!mayGoOn()) break;
      await this.seals.seal(id, mayGoOn);
      removed += await this.seals.prune(id, settings.audit_retention_days, mayGoOn);
    }
    return removed;
  }

  protected work(mayGoOn: () => boolean): Promise<number> {
    return this.run(mayGoOn);
  }
}
