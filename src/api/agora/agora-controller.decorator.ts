import { applyDecorators, Controller } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { AccessBy } from '../../http/access.guard.js';
import { AgoraAppTokenGuard } from './agora-app-token.guard.js';

/** Both families of addresses of the vendor lead to the same app. */
export const agoraPrefixes = [':org/:app', 'app-id/:appId'];

/** A controller whose routes want an app token, unless they say otherwise. @param tag its place in the API document */
export function AgoraController(tag: string): ClassDecorator {
  return applyDecorators(ApiTags(tag), ApiBearerAuth(), Controller(agoraPrefixes), AccessBy(AgoraAppTokenGuard));
}
