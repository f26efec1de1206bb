// What jest.config.mjs gives to each project.
declare global {
  var rollcallEngine: 'sqlite' | 'mariadb';
  var rollcallRedis: boolean;
  /** Databases are in a Galera cluster, and services that share one are on different nodes of it. */
  var rollcallGalera: boolean;
}

export {};
