import type { OwningDialect } from '../../http/dialect.js';
import { qiscusSecurity } from './qiscus-route.decorator.js';
import { renderQiscusError } from './qiscus.errors.js';

const descriptions: Readonly<Record<keyof typeof qiscusSecurity, string>> = {
  appId: 'The App ID, or the alias of the app',
  secret: 'The App certificate',
  token: 'A user token: from the log in of a client SDK, or `get_user_token`',
};

export const qiscusDialect: OwningDialect = {
  owns: (url) => /^\/api(\/|\?|$)/.test(url),
  nowhere: '/api/%25',
  renderError: renderQiscusError,
  describeSecurity: (document) =>
    Object.entries(qiscusSecurity).reduce(
      (described, [key, name]) =>
        described.addApiKey(
          { type: 'apiKey', in: 'header', name, description: descriptions[key as keyof typeof descriptions] },
          name,
        ),
      document,
    ),
};
