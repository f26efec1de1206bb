export interface TestServer {
  /** `mysql://user:password@127.0.0.1:port` of a user who may create databases, or `redis://127.0.0.1:port`. */
  readonly url: string;
  /** To suspend (SIGSTOP), resume or kill it with; another one after `restart`. */
  readonly pid: number;
  /** Kills it like a power cut, and starts it again with the same data on the same port. */
  restart(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

/** Three nodes of one database cluster. */
export interface TestGalera {
  /** Of each node, with the same user and password. */
  readonly urls: readonly string[];
  /** SIGKILL. */
  kill(index: number): Promise<void>;
  /** Starts it again with its data; resolves when it has caught up with the others. */
  start(index: number): Promise<void>;
  /** SIGSTOP. After two seconds, the others continue without it. */
  pause(index: number): void;
  /** SIGCONT; resolves when it has noticed that the others continued without it, and has caught up with them. */
  resume(index: number): Promise<void>;
  /** Stops all of them and removes their data. */
  stop(): Promise<void>;
}

/** @param options further options of the server */
export function startMariaDb(...options: string[]): Promise<TestServer>;
export function startRedis(): Promise<TestServer>;
export function startGalera(): Promise<TestGalera>;
/** A port of the loopback address that nobody listens on. */
export function freePort(): Promise<number>;
/**
 * The path of a program that a test needs besides the servers: the one on this machine, otherwise from Debian's
 * package.
 * @throws Error that says what to install
 */
export function ensureProgram(name: string, debianPackage?: string): Promise<string>;
