/** A chat group, or a chat room, which differs only in the wording of its routes. */
export type GroupKind = 'group' | 'room';

export interface Group {
  readonly id: number;
  readonly kind: GroupKind;
  readonly ownerUuid: string;
  readonly name: string;
  readonly description: string;
  readonly custom: string;
  readonly isPublic: boolean;
  readonly membersOnly: boolean;
  readonly allowInvites: boolean;
  /** Maximum number of members, including the owner. */
  readonly maxMembers: number;
  /** Current number of members. */
  readonly members: number;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

export type NewGroup = Pick<
  Group,
  'kind' | 'name' | 'description' | 'custom' | 'isPublic' | 'membersOnly' | 'allowInvites' | 'maxMembers'
>;

/** Texts that callers write and anyone may read. */
export interface GroupTexts {
  readonly name: string;
  readonly description: string;
  readonly custom: string;
  readonly announcement: string;
}

/** Changes to a group; omitted fields stay as they are. */
export type GroupChange = Partial<Omit<NewGroup, 'kind'>> & {
  /** The name of the member who becomes the owner. */
  readonly newOwner?: string;
};

/** The largest member limits that the vendor sells. */
export const maxMembersOf: Readonly<Record<GroupKind, number>> = { group: 5000, room: 10_000 };
export const defaultMembers = 200;
