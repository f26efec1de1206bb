export type CallerType = 'app_token' | 'user' | 'anonymous' | 'operator' | 'command_line' | 'system';

/** Who makes a change, and from where. */
export interface Caller {
  readonly type: CallerType;
  /** A username, an operator's name, an account of the operating system, the task of a sweep; empty: none is known. */
  readonly id: string;
  /** The client's address as behind `TRUST_PROXY`; null: not over the network. */
  readonly address: string | null;
  /** The `X-Request-Id` of the call; null: not over HTTP. */
  readonly requestId: string | null;
}

/** A caller inside of this process: its sweeps, or the operator at a shell. */
export function localCaller(type: 'command_line' | 'system', id: string): Caller {
  return { type, id, address: null, requestId: null };
}
