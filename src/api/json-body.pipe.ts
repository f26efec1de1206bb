import type { PipeTransform, Type } from '@nestjs/common';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/error-codes.js';
import { parseStrictJson } from './strict-json.js';

/** For the `context` of a class-validator rule: the code that a broken rule fails with, where it has one of its own. */
export function failsWith(code: ErrorCode): { context: { code: ErrorCode } } {
  return { context: { code } };
}

/**
 * `@Body(new JsonBody(Dto))`: reads the body as JSON whatever its Content-Type says, because vendor clients send any,
 * and only here, because who may call is decided before what they sent. Members that the DTO does not know are left out.
 */
export class JsonBody<Dto extends object> implements PipeTransform<Uint8Array | undefined, Dto> {
  private readonly reader: DtoReader<Dto>;

  constructor(dto: Type<Dto>) {
    this.reader = new DtoReader(dto);
  }

  /** @throws AppError json_malformed, argument_invalid, or the code of the rule that is broken */
  transform(body: Uint8Array | undefined): Dto {
    return this.reader.read(body === undefined || body.length === 0 ? {} : parseStrictJson(body));
  }
}

/** The same for a body that is one object or a list of them. Answers a list only where one was sent. */
export class JsonBodyOneOrMany<Dto extends object> implements PipeTransform<Uint8Array | undefined, Dto | Dto[]> {
  private readonly reader: DtoReader<Dto>;

  constructor(
    dto: Type<Dto>,
    private readonly limit: number,
  ) {
    this.reader = new DtoReader(dto);
  }

  transform(body: Uint8Array | undefined): Dto | Dto[] {
    const value = body === undefined || body.length === 0 ? {} : parseStrictJson(body);
    if (!Array.isArray(value)) return this.reader.read(value);
    if (value.length > this.limit) throw new AppError('batch_too_large', { count: value.length, limit: this.limit });
    if (value.length === 0) throw new AppError('argument_invalid', { detail: 'the list must not be empty' });
    return value.map((item) => this.reader.read(item));
  }
}

class DtoReader<Dto extends object> {
  private readonly members: readonly string[];

  constructor(private readonly dto: Type<Dto>) {
    const rules = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
    this.members = [...new Set(rules.map((rule) => rule.propertyName))];
  }

  read(value: unknown): Dto {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new AppError('argument_invalid', { detail: 'the body must be a JSON object' });
    const dto = new this.dto();
    for (const member of this.members)
      if (Object.hasOwn(value, member)) dto[member as keyof Dto] = (value as Dto)[member as keyof Dto];
    const [broken] = validateSync(dto, { stopAtFirstError: true, forbidUnknownValues: true });
    if (broken !== undefined) throw toAppError(broken);
    return dto;
  }
}

function toAppError(broken: ValidationError): AppError {
  const [rule = '', detail = ''] = Object.entries(broken.constraints ?? {})[0] ?? [];
  const { code } = (broken.contexts?.[rule] ?? {}) as { code?: ErrorCode };
  return code === undefined ? new AppError('argument_invalid', { detail }) : new AppError(code);
}
