export interface TestServer {
  /** `mysql://user:password@127.0.0.1:port` of a user who may create databases, or `redis://127.0.0.1:port`. */
  readonly url: string;
  /** To stop (SIGSTOP), continue or kill it with; another one after `restart`. */
  readonly pid: number;
  /** Kills it as a power cut would, and starts it again with the same data on the same port. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export function startMariaDb(): Promise<TestServer>;
export function startRedis(): Promise<TestServer>;
/** A port of the loopback address that nobody listens on. */
export function freePort(): Promise<number>;
