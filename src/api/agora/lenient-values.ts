import { applyDecorators } from '@nestjs/common';
import { IsOptional, ValidateBy } from 'class-validator';

/** A boolean or its string form: some clients send everything as strings. */
export type LenientBoolean = boolean | 'true' | 'false';
/** A whole number or its string form. */
export type LenientNumber = number | string;

export function IsOptionalBoolean(): PropertyDecorator {
  return optionally('isBoolean', (value) => [true, false, 'true', 'false'].includes(value as LenientBoolean), {
    message: '$property must be true or false',
  });
}

export function IsOptionalWholeNumber(): PropertyDecorator {
  return optionally('isWholeNumber', (value) => wholeNumberOf(value as LenientNumber) !== null, {
    message: '$property must be a whole number',
  });
}

export function IsOptionalNumberBetween(min: number, max: number): PropertyDecorator {
  const isBetween = (number: number | null): boolean => number !== null && number >= min && number <= max;
  return optionally('isNumberBetween', (value) => isBetween(wholeNumberOf(value as LenientNumber)), {
    message: `$property must be a whole number from ${min} to ${max}`,
  });
}

/** For a required number. */
export function IsWholeNumber(): PropertyDecorator {
  const validate = (value: unknown): boolean => wholeNumberOf(value as LenientNumber) !== null;
  const rule = { name: 'isWholeNumber', validator: { validate } };
  return ValidateBy(rule, { message: '$property is required: a whole number' });
}

/** null: not given. */
export function booleanOf(value: LenientBoolean | null | undefined): boolean | null {
  return value === undefined || value === null ? null : value === true || value === 'true';
}

/** null: not a whole number. */
export function wholeNumberOf(value: LenientNumber | null | undefined): number | null {
  const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  return Number.isInteger(number) ? (number as number) : null;
}

function optionally(name: string, validate: (value: unknown) => boolean, options: { message: string }) {
  return applyDecorators(IsOptional(), ValidateBy({ name, validator: { validate } }, options)) as PropertyDecorator;
}
