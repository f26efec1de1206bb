import { pairsOf, utf8 } from '../decoding/text.js';

type Query = Record<string, string | string[]>;

/** Stands for a query that is not UTF-8: the router has no way to refuse one. */
export const unreadableQuery: Query = {};

/** The query as text, or as a list of texts where a name comes again; for Fastify's router. */
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
