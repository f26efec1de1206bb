/** What cannot be inside of the bundle: native addons, and a package that serves the files beside itself. */
export const externalPackages = ['better-sqlite3', '@node-rs/argon2', 'swagger-ui-dist'];
