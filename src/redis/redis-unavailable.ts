/** Redis did not answer, or is not being asked at present. Callers have a fallback, so this never reaches a client. */
export class RedisUnavailable extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(`Redis is unavailable: ${reason}`, options);
    this.name = 'RedisUnavailable';
  }
}
