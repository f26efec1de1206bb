import { Body, type PipeTransform, type Type } from '@nestjs/common';
import { ApiBody, ApiExtraModels, getSchemaPath } from '@nestjs/swagger';
import { getMetadataStorage, IS_OBJECT, IS_OPTIONAL, validateSync, type ValidationError } from 'class-validator';
import { plainNumberOf } from '../decoding/exact-numbers.js';
import { isBlank, isJsonObject, isNothing, parseStrictJson } from '../decoding/strict-json.js';
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/error-codes.js';
import { describedParameter } from './described-parameter.js';
import type { RawBody } from './raw-body.js';

/** For the `context` of a class-validator rule: the code that a broken rule fails with, where it has one of its own. */
export function failsWith(code: ErrorCode): { context: { code: ErrorCode } } {
  return { context: { code } };
}

/**
 * A parameter that is the body, checked by the rules of the DTO and described by them in the API document. It is read as
 * JSON whatever its Content-Type says, because vendor clients send any. Members that the DTO does not know are left out.
 * The handler fails with json_malformed, argument_invalid, or the code of the rule that is broken.
 */
export function JsonBody(dto: Type<object>): ParameterDecorator {
  return describedParameter(Body(new JsonBodyPipe(dto)), ApiBody({ type: dto }));
}

/** The same for a body that need not be there: clients say so with blanks, `[]`, `""` and `null` as well. */
export function OptionalJsonBody(dto: Type<object>): ParameterDecorator {
  return describedParameter(Body(new OptionalJsonBodyPipe(dto)), ApiBody({ type: dto, required: false }));
}

/** The same for a body that is one object or a list of up to `limit` of them; a list only where one was sent. */
export function JsonBodyOneOrMany(dto: Type<object>, limit: number): ParameterDecorator {
  const one = { $ref: getSchemaPath(dto) };
  return describedParameter(
    Body(new JsonBodyOneOrManyPipe(dto, limit)),
    ApiExtraModels(dto),
    ApiBody({ schema: { oneOf: [one, { type: 'array', items: one, minItems: 1, maxItems: limit }] } }),
  );
}

/** Who may call is decided before what was sent is read: guards come before pipes. */
class JsonBodyPipe<Dto extends object> implements PipeTransform<RawBody | undefined, Dto> {
  protected readonly reader: DtoReader<Dto>;

  constructor(dto: Type<Dto>) {
    this.reader = new DtoReader(dto);
  }

  /** @throws AppError json_malformed, argument_invalid, or the code of the rule that is broken */
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
   * A member that is a number has no use for its text, and one that JavaScript does not have is none. An object that may
   * be missing may be written as nothing.
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
