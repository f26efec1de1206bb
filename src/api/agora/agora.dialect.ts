import type { DefaultDialect } from '../../http/dialect.js';
import { renderAgoraErrorWithoutRequest } from './agora-error-body.js';
import { renderInStyle } from './agora-error-styles.js';

/** Its paths begin with any two words. */
export const agoraDialect: DefaultDialect = {
  nowhere: '/%25',
  renderError: renderInStyle,
  renderErrorWithoutRequest: renderAgoraErrorWithoutRequest,
  describeSecurity: (document) =>
    document.addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: 'An app token: that of the start banner, one from `/token`, or an AccessToken2',
    }),
};
