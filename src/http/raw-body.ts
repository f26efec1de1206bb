import type { TextDecoder } from 'node:util';
import { decoderFor } from '../decoding/text.js';
import { AppError } from '../errors/app-error.js';

/** An unread body, since access is decided first. */
export class RawBody {
  constructor(
    readonly bytes: Uint8Array,
    readonly contentType: string,
  ) {}

  /**
   * @throws AppError json_malformed for bytes that are not in the charset, which is UTF-8 unless the type names another
   */
  text(): string {
    return this.decode((decoder) => decoder.decode(this.bytes));
  }

  /** Decodes the body from its charset. @throws AppError json_malformed */
  decode<Read>(read: (decoder: TextDecoder) => Read): Read {
    const decoder = decoderFor(this.contentType);
    if (decoder === null)
      throw new AppError('json_malformed', { detail: 'the charset of the body is not supported; send UTF-8' });
    try {
      return read(decoder);
    } catch (cause) {
      throw new AppError('json_malformed', { detail: `the body is not ${decoder.encoding.toUpperCase()}`, cause });
    }
  }
}
