import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional, type ApiPropertyOptions } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';
import { IsOptionalBoolean } from './lenient-values.js';

/** What the API document says of a member beyond its type. */
type MemberSchema = Pick<Exclude<ApiPropertyOptions, { schema: unknown }>, 'description' | 'example'> & {
  readonly default?: boolean;
  readonly maxLength?: number;
};

/** A text that may be absent or null. */
export const OptionalText = (schema: MemberSchema = {}): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: String, nullable: true, ...schema }),
    IsOptional(),
    IsString({ message: '$property must be a string' }),
  );

/** A boolean or its string form that may be absent or null. */
export const OptionalFlag = (schema: MemberSchema = {}): PropertyDecorator =>
  applyDecorators(ApiPropertyOptional({ type: Boolean, nullable: true, ...schema }), IsOptionalBoolean());
