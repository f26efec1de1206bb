import { Injectable } from '@nestjs/common';
import { AppUndoService } from '../apps/app-undo.service.js';
import type { App } from '../apps/app.js';
import type { AuditAction, AuditValues } from '../audit/audit-entry.js';
import type { AuditEntryRow } from '../audit/audit-entry.entity.js';
import { type AttributeValues, UserAttributesService } from '../user-attributes/user-attributes.service.js';
import type { BanOrigin } from '../users/ban-terms.js';
import { BanUndoService } from '../users/ban-undo.service.js';
import { UserUndoService } from '../users/user-undo.service.js';
import type { BulkItem, ItemResult } from './bulk-operation.js';

/** Owns which changes can be taken back, and how each is. */
@Injectable()
export class UndoableService {
  constructor(
    private readonly users: UserUndoService,
    private readonly bans: BanUndoService,
    private readonly attributes: UserAttributesService,
    private readonly apps: AppUndoService,
  ) {}

  /** Whether an entry of the audit trail can be taken back at all. */
  canUndo(entry: AuditEntryRow): boolean {
    const [before, after] = valuesOf(entry);
    if ('too_long' in before || 'too_long' in after) return false;
    // Not every action of the trail: whatever is added to it cannot be undone until somebody says how.
    switch (entry.action) {
      case 'user.ban':
      case 'user.unban':
        return entry.target_uuid !== null;
      case 'user.change_nickname':
      case 'user.change_profile':
      case 'user.change_push_settings':
        return entry.target_uuid !== null && this.users.canRestore(before, after);
      case 'user.change_attributes':
        return entry.target_uuid !== null;
      case 'app.change':
        return this.apps.canRestore(before, after);
      default:
        return false;
    }
  }

  /** An entry of an operation, as an item of its undo. */
  toItem(entry: AuditEntryRow): BulkItem {
    return {
      ...{ seq: entry.seq, target: entry.target ?? '', userUuid: entry.target_uuid },
      ...(this.canUndo(entry) ? { outcome: 'waiting', code: null } : { outcome: 'failed', code: 'not_undoable' }),
    };
  }

  /** Takes back an entry that `canUndo`, if nothing of it has changed since. */
  async undo(app: App, entry: AuditEntryRow, origin: BanOrigin): Promise<ItemResult> {
    switch (await this.restore(app, entry, origin)) {
      case 'changed':
        return { outcome: 'changed', code: null };
      case 'changed_since':
        return { outcome: 'unchanged', code: 'changed_since' };
      case 'user_not_found':
        return { outcome: 'failed', code: 'user_not_found' };
    }
  }

  private restore(app: App, entry: AuditEntryRow, origin: BanOrigin) {
    const [before, after] = valuesOf(entry);
    const userUuid = entry.target_uuid ?? '';
    if (entry.action === 'app.change') return this.apps.restore(app.id, before, after);
    if (entry.action === 'user.change_attributes')
      return this.attributes.restore(app, userUuid, before as AttributeValues, after as AttributeValues);
    if (entry.action === 'user.ban' || entry.action === 'user.unban')
      return this.bans.undo(app.id, { ...entry, hadBan: (before['ban'] ?? null) !== null }, origin);
    return this.users.restore(app.id, { action: entry.action as AuditAction, userUuid, before, after });
  }
}

function valuesOf({ old_values, new_values }: AuditEntryRow): [before: AuditValues, after: AuditValues] {
  const read = (text: string | null): AuditValues => (text === null ? {} : (JSON.parse(text) as AuditValues));
  return [read(old_values), read(new_values)];
}
