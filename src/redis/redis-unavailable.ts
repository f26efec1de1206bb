/** Redis did not answer, or is not asked at present. Callers have another way, so this never reaches a caller of ours. */
export class RedisUnavailable extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(`Redis is unavailable: ${reason}`, options);
    this.name = 'RedisUnavailable';
  }
}
