// The users that a benchmark's database is filled with. Their names are in no particular order, as in practice; wrk.mjs
// has the same rule in Lua, so that the load generator requests existing users.

/**
 * Odd, so that no two numbers below 2^32 share a name; small, so that Lua's doubles represent the product exactly up to
 * 1e7.
 */
export const scatter = 662_607_015;

const firstCreatedAt = Date.UTC(2024, 0, 1);

/** The inverse of `scatter` modulo 2^32. */
const gather = [1, 2, 3, 4, 5].reduce((inverse) => Math.imul(inverse, 2 - Math.imul(scatter, inverse)), scatter);

/** @param {number} index */
export const nameOf = (index) => nameOfHash(Math.imul(index, scatter) >>> 0);

/** @param {number} hash */
const nameOfHash = (hash) => `u${hash.toString(16).padStart(8, '0')}`;

/** @param {number} index */
export const uuidOf = (index) => {
  const low = (Math.imul(index, scatter) >>> 0).toString(16).padStart(8, '0');
  const high = index.toString(16).padStart(12, '0');
  return `${low}-0000-11ee-8000-${high}`;
};

/** Ids like those of the service: milliseconds since 2020 times 4096. @param {number} index */
export const idOf = (index) => (createdAtOf(index) - Date.UTC(2020, 0, 1)) * 4096;

/** @param {number} index */
const createdAtOf = (index) => firstCreatedAt + index * 50;

export const columns = [
  ...['app_id', 'username', 'uuid', 'id', 'nickname', 'activated'],
  ...['created_at', 'modified_at', 'password_hash', 'token_epoch'],
];

/**
 * Rows of `users` in the order of their names, which is the fastest order to insert.
 *
 * @param {string} appId @param {number} users
 */
export function* rowsByName(appId, users) {
  const hashes = Uint32Array.from({ length: users }, (_, index) => Math.imul(index, scatter) >>> 0).sort();
  for (const hash of hashes) {
    const index = Math.imul(hash, gather) >>> 0;
    const at = createdAtOf(index);
    yield [appId, nameOfHash(hash), uuidOf(index), idOf(index), null, 1, at, at, null, 0];
  }
}
