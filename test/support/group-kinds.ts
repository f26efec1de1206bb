import type { Response } from 'supertest';
import type { RunningApp } from './start-app.js';

/** How groups and rooms differ on the wire. */
export const groupKinds = [
  { route: 'chatgroups', idMember: 'groupid', nameMember: 'groupname', idBesideBlock: 'groupid', place: 'group' },
  { route: 'chatrooms', idMember: 'id', nameMember: 'name', idBesideBlock: 'chatroomid', place: 'chatroom' },
] as const;

export type GroupKind = (typeof groupKinds)[number];

export const groupErrors = {
  missing: (id: string) => ({
    ...{ status: 404, error: 'resource_not_found', description: `grpID ${id} does not exist!` },
  }),
  unseen: (id: string) => ({
    ...{ status: 404, error: 'service_resource_not_found', description: `do not find this group:${id}` },
  }),
  unknownUser: (name: string) => ({
    ...{ status: 404, error: 'resource_not_found', description: `username ${name} doesn't exist!` },
  }),
  owner: { status: 403, error: 'forbidden_op', description: 'forbidden operation on group owner!' },
};

/** Calls for one kind of group. */
export class GroupCalls {
  constructor(
    private readonly service: RunningApp,
    readonly kind: GroupKind,
  ) {}

  call(method: 'get' | 'post' | 'put' | 'delete', path: string, body?: unknown): PromiseLike<Response> {
    return this.service.call(method, `/${this.kind.route}${path}`, body === undefined ? {} : { body });
  }

  async create(owner: string, members: readonly string[] = [], more: object = {}): Promise<string> {
    const { nameMember, idMember } = this.kind;
    const answer = await this.call('post', '', { [nameMember]: 'a name', owner, members, ...more });
    if (answer.status !== 200) throw new Error(answer.text);
    return answer.body.data[idMember] as string;
  }

  /** The group as the API shows it. */
  async get(id: string): Promise<Record<string, any>> {
    const answer = await this.call('get', `/${id}`);
    return { status: answer.status, ...answer.body.data?.[0] };
  }

  async data(path: string): Promise<any> {
    return (await this.call('get', path)).body.data;
  }
}
