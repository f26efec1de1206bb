import type { AuditEntryRow } from './audit-entry.entity.js';

/** What can be done; the part before the dot is what it is done to. */
export const auditActions = [
  ...(['user.register', 'user.delete', 'user.ban', 'user.unban', 'user.force_offline', 'user.disconnect'] as const),
  ...(['user.revoke_tokens', 'user.change_password', 'user.change_nickname', 'user.change_profile'] as const),
  ...(['user.change_push_settings', 'user.mute', 'user.change_attributes', 'user.block', 'user.unblock'] as const),
  ...(['user.add_contacts', 'user.remove_contacts', 'user.change_contact'] as const),
  ...(['user.subscribe_presence', 'user.unsubscribe_presence'] as const),
  ...(['user.add_super_admin', 'user.remove_super_admin', 'user.add_note'] as const),
  ...(['group.create', 'group.change', 'group.delete', 'group.add_members', 'group.remove_members'] as const),
  ...(['group.add_to_list', 'group.remove_from_list'] as const),
  ...(['app.create', 'app.change', 'app.rotate', 'app.replace_secrets', 'operation.cancel'] as const),
] as const;
export type AuditAction = (typeof auditActions)[number];

/** `partial`: a call for several that could not be done for each of them. */
export type AuditOutcome = 'done' | 'partial';

/** Members with their values; never a secret, nor what was derived from one. */
export type AuditValues = Readonly<Record<string, unknown>>;

/** What was changed. The operation says by whom. */
export interface AuditEntry {
  readonly action: AuditAction;
  /** Username, id of a group, `org/app`; null: several. */
  readonly target: string | null;
  /** The uuid of a user, as another user may have the name later. */
  readonly targetUuid?: string | undefined;
  readonly outcome?: AuditOutcome | undefined;
  readonly reason?: string | null | undefined;
  /** Only what has changed. */
  readonly before?: AuditValues | undefined;
  readonly after?: AuditValues | undefined;
  /** How many were changed, if not one. */
  readonly count?: number | undefined;
}

/** An entry as it is shown. */
export interface ShownEntry {
  readonly operation_id: string;
  readonly seq: number;
  readonly at: number;
  readonly actor: { readonly type: string; readonly id: string | null };
  readonly address: string | null;
  readonly request_id: string | null;
  readonly action: string;
  readonly target: string | null;
  readonly target_uuid: string | null;
  readonly outcome: string;
  readonly reason: string | null;
  readonly before: AuditValues | null;
  readonly after: AuditValues | null;
  readonly count: number;
}

export function toEntry(row: AuditEntryRow): ShownEntry {
  const colon = row.actor.indexOf(':');
  const actor =
    colon === -1 ? { type: row.actor, id: null } : { type: row.actor.slice(0, colon), id: row.actor.slice(colon + 1) };
  return {
    ...{ operation_id: String(row.operation_id), seq: row.seq, at: row.at, actor },
    ...{ address: row.address, request_id: row.request_id, action: row.action },
    ...{ target: row.target, target_uuid: row.target_uuid, outcome: row.outcome, reason: row.reason },
    ...{ before: readValues(row.old_values), after: readValues(row.new_values), count: row.changed },
  };
}

function readValues(json: string | null): AuditValues | null {
  return json === null ? null : (JSON.parse(json) as AuditValues);
}

const maxTargetLength = 255;
const maxReasonLength = 255;
/** As JSON, in UTF-16 units; utf8mb4 needs up to three bytes for each, and the column has 65,535. */
const maxValuesLength = 16_000;

/** Values as they are stored. Too many of them are replaced by the names of their members. */
export function writeValues(values: AuditValues | undefined): string | null {
  if (values === undefined) return null;
  const text = JSON.stringify(values);
  if (text === '{}') return null;
  if (text.length <= maxValuesLength) return text;
  const members = Object.keys(values).map((name) => name.slice(0, 100));
  return JSON.stringify({ too_long: members.slice(0, 100) });
}

export function writeTarget(target: string | null): string | null {
  return target === null ? null : cut(target, maxTargetLength);
}

export function writeReason(reason: string | null | undefined): string | null {
  return reason === null || reason === undefined ? null : cut(reason, maxReasonLength);
}

/** Without half of a surrogate pair at the end, which no database stores. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length).toWellFormed();
}

/** What differs between two states of one thing, by member; undefined: nothing. */
export function differences<State extends object>(
  before: State,
  after: State,
  members: readonly (keyof State & string)[],
): { readonly before: AuditValues; readonly after: AuditValues } | undefined {
  const changed = members.filter((member) => before[member] !== after[member]);
  if (changed.length === 0) return undefined;
  const pick = (state: State): AuditValues => Object.fromEntries(changed.map((member) => [member, state[member]]));
  return { before: pick(before), after: pick(after) };
}
