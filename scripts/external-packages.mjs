/** What cannot be bundled: native addons, and a package that serves files from its own folder. */
export const externalPackages = ['better-sqlite3', '@node-rs/argon2', 'swagger-ui-dist'];
