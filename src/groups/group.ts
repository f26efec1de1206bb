/** A chat group; or a chat room, which differs in the words of its routes only. */
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
  /** How many members it takes, the owner among them. */
  readonly maxMembers: number;
  /** How many there are. */
  readonly members: number;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

export type NewGroup = Pick<
  Group,
  'kind' | 'name' | 'description' | 'custom' | 'isPublic' | 'membersOnly' | 'allowInvites' | 'maxMembers'
>;

/** What callers write and everybody may read. */
export interface GroupTexts {
  readonly name: string;
  readonly description: string;
  readonly custom: string;
  readonly announcement: string;
}

/** What changes of a group; what is left out stays as it is. */
export type GroupChange = Partial<Omit<NewGroup, 'kind'>> & {
  /** The name of the member whom the group is to belong to. */
  readonly newOwner?: string;
};

/** A page by its number, from 1. */
export interface NumberedPage {
  readonly page: number;
  readonly size: number;
}

/** The most members that the vendor sells. */
export const maxMembersOf: Readonly<Record<GroupKind, number>> = { group: 5000, room: 10_000 };
export const defaultMembers = 200;
