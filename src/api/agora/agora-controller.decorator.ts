import { applyDecorators, Controller } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { AccessBy } from '../../http/access.guard.js';
import { AgoraAppTokenGuard } from './agora-app-token.guard.js';

/** Both of the vendor's URL families lead to the same app. */
export const agoraPrefixes = [':org/:app', 'app-id/:appId'];

/** A controller whose routes require an app token by default. @param tag its section of the API document */
export function AgoraController(tag: string): ClassDecorator {
  return applyDecorators(ApiTags(tag), ApiBearerAuth(), Controller(agoraPrefixes), AccessBy(AgoraAppTokenGuard));
}
