import { pairsOf, utf8 } from '../decoding/text.js';

type Query = Record<string, string | string[]>;

/** Stands for a query that is not UTF-8, as the router cannot refuse one. */
export const unreadableQuery: Query = {};

/** The query, with a list of texts for each repeated name; for Fastify's router. */
export function parseQuery(written: string): Query {
  if (written === '') return {};
  try {
    const query = Object.create(null) as Query;
    for (const [name, value] of pairsOf(written, utf8)) {
      const before = query[name];
      query[name] = before === undefined ? value : [before, value].flat();
    }
    return query;
  } catch {
    return unreadableQuery;
  }
}
