import { Injectable } from '@nestjs/common';
import type { AuditAction, AuditValues } from '../audit/audit-entry.js';
import { UserWritesRepository } from './user-writes.repository.js';
import { UsersService } from './users.service.js';

/** `changed_since`: somebody has changed it since, and it was left as it is. */
export type Undone = 'changed' | 'changed_since' | 'user_not_found';

/** What an entry of the audit trail says about a change of a user's row. */
export interface UserEntry {
  readonly action: AuditAction;
  readonly userUuid: string;
  readonly before: AuditValues;
  readonly after: AuditValues;
}

const restorable = ['nickname', 'pushSettings'] as const;

/** Takes back changes of accounts, member by member, where nobody has changed them since. */
@Injectable()
export class UserUndoService {
  constructor(
    private readonly users: UsersService,
    private readonly writes: UserWritesRepository,
  ) {}

  /** Whether all that an entry has changed can be restored. */
  canRestore(before: AuditValues, after: AuditValues): boolean {
    const names = Object.keys({ ...before, ...after });
    return names.length > 0 && names.every((name) => (restorable as readonly string[]).includes(name));
  }

  /** Restores a nickname and push settings. */
  async restore(appId: string, { action, userUuid, before, after }: UserEntry): Promise<Undone> {
    const user = await this.users.findByUuid(appId, userUuid);
    if (user === null) return 'user_not_found';
    const names = restorable.filter((name) => name in before || name in after);
    let result: Undone = 'user_not_found';
    await this.writes.change(appId, user, (now) => {
      result = names.every((name) => now[name] === (after[name] ?? null)) ? 'changed' : 'changed_since';
      if (result === 'changed_since') return null;
      return { action, user: Object.fromEntries(names.map((name) => [name, before[name] ?? null])) };
    });
    return result;
  }
}
