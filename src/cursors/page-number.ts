/** A page by its number, from 1. */
export interface PageNumber {
  readonly page: number;
  readonly size: number;
}
