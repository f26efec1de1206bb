// What jest.config.mjs gives to each project.
declare global {
  var rollcallEngine: 'sqlite' | 'mariadb';
  var rollcallRedis: boolean;
}

export {};
