import type { DefaultDialect } from '../../http/dialect.js';
import { renderAgoraError, renderAgoraErrorWithoutRequest } from './agora-error-body.js';

/** Its paths begin with any two words. */
export const agoraDialect: DefaultDialect = {
  nowhere: '/%25',
  renderError: renderAgoraError,
  renderErrorWithoutRequest: renderAgoraErrorWithoutRequest,
  describeSecurity: (document) =>
    document.addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: 'An app token: a JWT from `/token`, or an AccessToken2',
    }),
};
