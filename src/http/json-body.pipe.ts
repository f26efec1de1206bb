import { Body, type PipeTransform, type Type } from '@nestjs/common';
import { ApiBody, ApiExtraModels, getSchemaPath } from '@nestjs/swagger';
import { getMetadataStorage, IS_OBJECT, IS_OPTIONAL, validateSync, type ValidationError } from 'class-validator';
import { plainNumberOf } from '../decoding/exact-numbers.js';
import { isBlank, isJsonObject, isNothing, parseStrictJson } from '../decoding/strict-json.js';
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/error-codes.js';
import { describedParameter } from './described-parameter.js';
import type { RawBody } from './raw-body.js';

/** For the `context` of a class-validator rule: the error code of a broken rule, if it has its own. */
export function failsWith(code: ErrorCode): { context: { code: ErrorCode } } {
  return { context: { code } };
}

/**
 * A parameter that is the body, validated by the rules of the DTO and described by them in the API document. It is read
 * as JSON whatever its Content-Type, because vendor clients send any. Members unknown to the DTO are dropped. The
 * handler fails with json_malformed, argument_invalid, or the code of the broken rule.
 */
export function JsonBody(dto: Type<object>): ParameterDecorator {
  return describedParameter(Body(new JsonBodyPipe(dto)), ApiBody({ type: dto }));
}

/** The same for an optional body; clients send blanks, `[]`, `""` and `null` for none. */
export function OptionalJsonBody(dto: Type<object>): ParameterDecorator {
  return describedParameter(Body(new OptionalJsonBodyPipe(dto)), ApiBody({ type: dto, required: false }));
}

/** The same for a body that is one object or a list of up to `limit` of them; a list only if a list was sent. */
export function JsonBodyOneOrMany(dto: Type<object>, limit: number): ParameterDecorator {
  const one = { $ref: getSchemaPath(dto) };
  return describedParameter(
    Body(new JsonBodyOneOrManyPipe(dto, limit)),
    ApiExtraModels(dto),
    ApiBody({ schema: { oneOf: [one, { type: 'array', items: one, minItems: 1, maxItems: limit }] } }),
  );
}

/** Access is decided before the body is read: guards run before pipes. */
class JsonBodyPipe<Dto extends object> implements PipeTransform<RawBody | undefined, Dto> {
  protected readonly reader: DtoReader<Dto>;

  constructor(dto: Type<Dto>) {
    this.reader = new DtoReader(dto);
  }

  /** @throws AppError json_malformed, argument_invalid, or the code of the broken rule */
  transform(body: RawBody | undefined): Dto {
    return this.reader.read(body === undefined ? {} : parseStrictJson(body.text()));
  }
}

class OptionalJsonBodyPipe<Dto extends object> extends JsonBodyPipe<Dto> {
  override transform(body: RawBody | undefined): Dto {
    const text = body?.text() ?? '';
    const value = isBlank(text) ? null : parseStrictJson(text);
    return this.reader.read(isNothing(value) ? {} : value);
  }
}

class JsonBodyOneOrManyPipe<Dto extends object> implements PipeTransform<RawBody | undefined, Dto | Dto[]> {
  private readonly reader: DtoReader<Dto>;

  constructor(
    dto: Type<Dto>,
    private readonly limit: number,
  ) {
    this.reader = new DtoReader(dto);
  }

  transform(body: RawBody | undefined): Dto | Dto[] {
    const value = body === undefined ? {} : parseStrictJson(body.text());
    if (!Array.isArray(value)) return this.reader.read(value);
    if (value.length > this.limit) throw new AppError('batch_too_large', { count: value.length, limit: this.limit });
    if (value.length === 0) throw new AppError('argument_invalid', { detail: 'the list must not be empty' });
    return value.map((item) => this.reader.read(item));
  }
}

class DtoReader<Dto extends object> {
  readonly members: readonly string[];
  private readonly optionalObjects: ReadonlySet<string>;

  constructor(private readonly dto: Type<Dto>) {
    const rules = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
    this.members = [...new Set(rules.map((rule) => rule.propertyName))];
    const ruled = (name: string): string[] =>
      rules.filter((rule) => rule.name === name).map((rule) => rule.propertyName);
    const optional = ruled(IS_OPTIONAL);
    this.optionalObjects = new Set(ruled(IS_OBJECT).filter((member) => optional.includes(member)));
  }

  read(value: unknown): Dto {
    if (!isJsonObject(value)) throw new AppError('argument_invalid', { detail: 'the body must be a JSON object' });
    const dto = new this.dto();
    for (const member of this.members)
      if (Object.hasOwn(value, member)) dto[member as keyof Dto] = this.taken(member, value[member]) as Dto[keyof Dto];
    const [broken] = validateSync(dto, { stopAtFirstError: true, forbidUnknownValues: true });
    if (broken !== undefined) throw toAppError(broken);
    return dto;
  }

  /**
   * Numbers are converted from their text; one that JavaScript cannot represent becomes NaN. An optional object may
   * also be written as nothing.
   */
  private taken(member: string, value: unknown): unknown {
    if (this.optionalObjects.has(member) && isNothing(value)) return null;
    return plainNumberOf(value) ?? (JSON.isRawJSON(value) ? NaN : value);
  }
}

function toAppError(broken: ValidationError): AppError {
  const [rule = '', detail = ''] = Object.entries(broken.constraints ?? {})[0] ?? [];
  const { code } = (broken.contexts?.[rule] ?? {}) as { code?: ErrorCode };
  return code === undefined ? new AppError('argument_invalid', { detail }) : new AppError(code);
}
