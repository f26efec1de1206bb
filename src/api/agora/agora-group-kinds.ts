import type { Type } from '@nestjs/common';
import type { GroupKind } from '../../groups/group.js';
import type { AgoraRouteOptions } from './agora-route.decorator.js';
import { UpdateAgoraGroupDto, UpdateAgoraRoomDto } from './agora-group-changes.dto.js';
import { CreateAgoraGroupDto, CreateAgoraRoomDto } from './agora-groups.dto.js';

export const text = { type: 'string' };
export const whole = { type: 'integer' };
export const flag = { type: 'boolean' };
export const object = (properties: object) => ({ type: 'object', properties, required: Object.keys(properties) });
export const listOf = (items: object) => ({ type: 'array', items });

/** The names that groups and rooms use for the same things. */
export const groupKinds = {
  group: {
    name: 'Groups',
    one: 'chat group',
    many: 'chatgroups',
    id: 'groupid',
    idBesideBlock: 'groupid',
    create: CreateAgoraGroupDto as Type<CreateAgoraGroupDto | CreateAgoraRoomDto>,
    update: UpdateAgoraGroupDto as Type<UpdateAgoraRoomDto>,
    listed: object({
      owner: text,
      groupid: text,
      affiliations: whole,
      type: { ...text, enum: ['group'] },
      last_modified: text,
      groupname: text,
    }),
    joined: object({ groupid: text, groupname: text }),
  },
  room: {
    name: 'Rooms',
    one: 'chat room',
    many: 'chatrooms',
    id: 'id',
    idBesideBlock: 'chatroomid',
    create: CreateAgoraRoomDto as Type<CreateAgoraGroupDto | CreateAgoraRoomDto>,
    update: UpdateAgoraRoomDto as Type<UpdateAgoraRoomDto>,
    listed: object({ id: text, name: text, owner: text, affiliations_count: whole }),
    joined: object({ id: text, name: text }),
  },
} as const;

/** Every group and room route answers with these, in alphabetical order. */
const groupAnswer = 'action application applicationName data duration entities organization properties timestamp uri';

/** @param more members after the common ones, each preceded by a space */
export function answering(data: object, more = ''): AgoraRouteOptions {
  return { pool: 'own', answer: groupAnswer + more, schemas: { data } };
}

export function changing(data: object): AgoraRouteOptions {
  return { ...answering(data), idempotent: true };
}

/** Routes are counted and documented under their controller's name. @param part which aspect of groups it covers */
export function nameController(controller: Type<object>, kind: GroupKind, part = ''): void {
  Object.defineProperty(controller, 'name', { value: `Agora${groupKinds[kind].name}${part}Controller` });
}
