// What jest.config.mjs passes to each project.
declare global {
  var rollcallEngine: 'sqlite' | 'mariadb';
  var rollcallRedis: boolean;
  /** The databases are on a Galera cluster, and services that share one are on different nodes of it. */
  var rollcallGalera: boolean;
}

export {};
