import { Param } from '@nestjs/common';
import { JsonBody } from '../../http/json-body.pipe.js';
import { type Attributes, UserAttributesService } from '../../user-attributes/user-attributes.service.js';
import { AgoraCall, Call } from './agora-call.js';
import { AgoraController } from './agora-controller.decorator.js';
import { AgoraMetadataError } from './agora-error-styles.js';
import { AgoraRoute, type AgoraRouteOptions } from './agora-route.decorator.js';
import { GetAgoraAttributesDto, toAgoraAttributes, toAgoraBatch } from './agora-user-attributes.dto.js';
import { FormBody, JsonOnly } from './form-body.js';

const attributes = { type: 'object', additionalProperties: { type: 'string' } };
const modified = { type: 'integer', description: 'Unix milliseconds' };
const names =
  'Attributes by their names; an empty value removes one. `nickname`, `avatarurl`, `phone`, `mail`, `gender`, `sign`, ' +
  "`birth` and `ext` are the ones that the vendor's clients show";

/** These routes are a separate service at the vendor: no envelope, and their own errors. */
function answering(answer: string, schemas: Record<string, object>): AgoraRouteOptions {
  return { pool: 'own', answer, schemas, errors: AgoraMetadataError };
}

/** User attributes: docs/dialects/agora.md. */
@AgoraController('user attributes')
export class AgoraUserAttributesController {
  constructor(private readonly attributes: UserAttributesService) {}

  @AgoraRoute('GET metadata/user/capacity', 'Get the total size of the user attributes of an app, in bytes', {
    ...answering('timestamp data duration', { data: { type: 'integer' } }),
  })
  async capacity(@Call() call: AgoraCall) {
    return call.answer({ data: await this.attributes.usage(call.app.id) });
  }

  @AgoraRoute('POST metadata/user/get', 'Get the attributes of up to 100 users', {
    ...answering('timestamp data lastModified duration', {
      data: {
        type: 'object',
        additionalProperties: attributes,
        description: 'Keyed by the name as written in the request',
      },
      lastModified: {
        type: 'object',
        additionalProperties: modified,
        description: 'Only for users that have attributes',
      },
    }),
  })
  async getAll(
    @Call() call: AgoraCall,
    @JsonOnly() _type: unknown,
    @JsonBody(GetAgoraAttributesDto) body: GetAgoraAttributesDto,
  ) {
    return call.answer(toAgoraBatch(body, await this.attributes.findAll(call.app.id, body.targets)));
  }

  @AgoraRoute('GET metadata/user/:username', 'Get the attributes of a user', {
    ...answering('timestamp data lastModified? duration', { data: attributes, lastModified: modified }),
  })
  async get(@Call() call: AgoraCall, @Param('username') username: string) {
    const stored = await this.attributes.find(call.app.id, username);
    return call.answer({ data: toAgoraAttributes(stored?.attributes), lastModified: stored?.modifiedAt });
  }

  @AgoraRoute('PUT metadata/user/:username', 'Set attributes of a user, and return all of them', {
    ...answering('timestamp data lastModified duration', { data: attributes, lastModified: modified }),
    idempotent: true,
  })
  change(@Call() call: AgoraCall, @Param('username') username: string, @FormBody(names) changes: Attributes) {
    return call.once(async () => {
      const stored = await this.attributes.change(call.app, username, changes);
      return call.answer({ data: toAgoraAttributes(stored.attributes), lastModified: stored.modifiedAt });
    });
  }

  @AgoraRoute('DELETE metadata/user/:username', 'Delete all attributes of a user', {
    ...answering('timestamp duration data', { data: { type: 'boolean', enum: [true] } }),
    idempotent: true,
  })
  delete(@Call() call: AgoraCall, @Param('username') username: string) {
    return call.once(async () => {
      await this.attributes.delete(call.app.id, username);
      return call.answer({ data: true });
    });
  }
}
