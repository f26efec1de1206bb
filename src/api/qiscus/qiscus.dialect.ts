import type { OwningDialect } from '../../http/dialect.js';
import { qiscusSecurity } from './qiscus-route.decorator.js';
import { renderQiscusError } from './qiscus.errors.js';

export const qiscusDialect: OwningDialect = {
  owns: (url) => /^\/api(\/|\?|$)/.test(url),
  nowhere: '/api/%25',
  renderError: renderQiscusError,
  describeSecurity: (document) =>
    Object.values(qiscusSecurity).reduce(
      (described, name) => described.addApiKey({ type: 'apiKey', in: 'header', name }, name),
      document,
    ),
};
