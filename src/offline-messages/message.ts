/** The content of a message. `body` and `ext` are JSON text. */
export interface Message {
  /** A folded name. */
  readonly sender: string;
  readonly chatType: 'chat';
  readonly type: string;
  readonly body: string;
  readonly ext: string | null;
}

export interface Receiver {
  /** A folded name. */
  readonly username: string;
  /** No session of the user can receive the message at once. */
  readonly offline: boolean;
}

/** The outcome of a message for one receiver. */
export interface Receipt {
  readonly id: number;
  /** The receiver has blocked the sender: nothing was stored. */
  readonly refused: boolean;
}

/** A message as its receiver gets it. */
export interface InboxMessage extends Message {
  readonly id: number;
  /** The position in the inbox. */
  readonly seq: number;
  readonly offline: boolean;
  readonly createdAt: number;
}

/** From `fromMs` (inclusive) to `untilMs` (exclusive), in Unix milliseconds; null: unbounded. */
export interface CreationWindow {
  readonly fromMs: number | null;
  readonly untilMs: number | null;
}
