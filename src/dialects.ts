import { agoraDialect } from './api/agora/agora.dialect.js';
import { qiscusDialect } from './api/qiscus/qiscus.dialect.js';
import { Dialects } from './http/dialect.js';

/** Every dialect that the service speaks. */
export const dialects = new Dialects(agoraDialect, [qiscusDialect]);
