import { applyDecorators, createParamDecorator, type ExecutionContext, type Type } from '@nestjs/common';
import {
  ArrayMaxSize,
  IsArray,
  IsDefined,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  type ValidationArguments,
  validateSync,
} from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { numberTextOf } from '../../decoding/exact-numbers.js';
import { isJsonObject, isNothing, parseStrictJson } from '../../decoding/strict-json.js';
import { AppError } from '../../errors/app-error.js';
import { defaultOrder, parseOrderQuery } from './order-query.js';
import { readParameters } from './qiscus-parameters.js';
import { parseSecond } from './qiscus-time.js';

/** A route parameter: how it is read, and how the API document shows it. */
export interface QiscusParameter {
  readonly name: string;
  readonly required: boolean;
  readonly schema: object;
  /** Converts the sent value into what the handler expects, or into one that fails validation. */
  readonly read: (sent: unknown) => unknown;
}

const parametersMetadata = 'rollcall:qiscus-parameters';
const parametersOfHandlerMetadata = 'rollcall:qiscus-parameters-of-handler';
/** Fails the validation of every kind of parameter. */
const unreadable = Symbol('unreadable');
const wholeNumber = /^[+-]?\d{1,15}$/;

/** The parameters that a class describes, in order. */
export function parametersOf(dto: Type<object>): readonly QiscusParameter[] {
  return (Reflect.getMetadata(parametersMetadata, dto.prototype as object) ?? []) as QiscusParameter[];
}

/** The parameters that a handler takes. */
export function parametersOfHandler(target: object, handler: string | symbol): readonly QiscusParameter[] {
  const dto = Reflect.getMetadata(parametersOfHandlerMetadata, target, handler) as Type<object> | undefined;
  return dto === undefined ? [] : parametersOf(dto);
}

const bind = createParamDecorator(async (dto: Type<object>, context: ExecutionContext): Promise<object> => {
  const sent = await readParameters(context.switchToHttp().getRequest<FastifyRequest>());
  const parameters = new dto() as Record<string, unknown>;
  for (const { name, read } of parametersOf(dto)) parameters[name] = read(sent.get(name));
  const broken = new Map(
    validateSync(parameters, { stopAtFirstError: true }).map(({ property, constraints }) => [
      property,
      Object.values(constraints ?? {})[0] ?? '',
    ]),
  );
  if (broken.size > 0) throw invalidParameters(parametersOf(dto), broken);
  return parameters;
});

/** In parameter order: the validator starts with those of a subclass. */
function invalidParameters(parameters: readonly QiscusParameter[], broken: ReadonlyMap<string, string>): AppError {
  const problems = parameters.flatMap(({ name }): [string, string][] => {
    const text = broken.get(name);
    return text === undefined ? [] : [[name, text]];
  });
  const detail = problems.map(([, text]) => text).join(', ');
  return new AppError('argument_invalid', { detail, problems: Object.fromEntries(problems) });
}

/** The parameters of a call, read and validated by the rules of the class, which report all problems at once. */
export function Parameters(dto: Type<object>): ParameterDecorator {
  return (target, handler, index) => {
    Reflect.defineMetadata(parametersOfHandlerMetadata, dto, target, handler as string);
    bind(dto)(target, handler, index);
  };
}

interface Described {
  readonly required?: boolean;
  readonly schema?: object;
}

/** Text; numbers and booleans are accepted as text. */
export function Text({ required = false, schema = {} }: Described = {}): PropertyDecorator {
  const read = (sent: unknown): unknown => (sent === undefined ? undefined : (toText(sent) ?? unreadable));
  return parameter(
    { required, schema: { type: 'string', ...schema }, read },
    IsString({ message: '$property must be text' }),
  );
}

/** A list of up to `max` texts; a single text counts as a list. */
export function Texts(max: number, { required = true, schema = {} }: Described = {}): PropertyDecorator {
  return parameter(
    { required, schema: { type: 'array', items: { type: 'string' }, ...schema }, read: toTexts },
    IsString({ each: true, message: '$property must be a list of texts' }),
    ArrayMaxSize(max, { message: `$property must be at most ${max}` }),
  );
}

/** A whole number, or `fallback` for anything else and for values that `accepts` rejects. */
export function Whole(fallback: number, accepts: (value: number) => boolean, description?: string): PropertyDecorator {
  const read = (sent: unknown): number => {
    const text = toText(sent);
    const value = text !== undefined && wholeNumber.test(text) ? Number(text) : fallback;
    return accepts(value) ? value : fallback;
  };
  const schema = { type: 'integer', ...(description === undefined ? {} : { description }) };
  return parameter({ required: false, schema, read });
}

export const PageNumber = (): PropertyDecorator => Whole(1, (value) => value >= 1, 'Default 1');

/** `true` or 1. */
export function Flag(): PropertyDecorator {
  const read = (sent: unknown): boolean => /^(true|1)$/i.test(toText(sent) ?? '');
  return parameter({ required: false, schema: { type: 'boolean' }, read });
}

/** A JSON object, or text containing one; PHP writes an empty one as `[]`. */
export function JsonObject(description: string): PropertyDecorator {
  return parameter(
    {
      required: false,
      schema: { type: 'object', additionalProperties: true, description },
      read: toObject,
    },
    IsObject({ message: '$property must be a JSON object' }),
  );
}

/** The columns by which a list is sorted. */
export function OrderQuery(): PropertyDecorator {
  return parameter(
    {
      required: false,
      schema: { type: 'string', example: 'created_at desc nulls last' },
      read: (sent) => (sent === undefined ? defaultOrder : readText(sent, parseOrderQuery)),
    },
    IsArray({ message: mustBe('must name columns to order by') }),
  );
}

/** A time in whole seconds, as Unix milliseconds. */
export function Second(): PropertyDecorator {
  return parameter(
    {
      required: false,
      schema: { type: 'string', example: '2026-01-31 23:59:59', description: 'UTC, inclusive' },
      read: (sent) => (sent === undefined ? undefined : readText(sent, parseSecond)),
    },
    IsNumber({}, { message: mustBe('must be YYYY-MM-DD hh:mm:ss') }),
  );
}

function parameter(described: Omit<QiscusParameter, 'name'>, ...rules: PropertyDecorator[]): PropertyDecorator {
  const describe: PropertyDecorator = (prototype, name) => {
    const known = (Reflect.getMetadata(parametersMetadata, prototype) ?? []) as QiscusParameter[];
    Reflect.defineMetadata(parametersMetadata, [...known, { ...described, name: name as string }], prototype);
  };
  const presence = described.required ? IsDefined({ message: '$property is required' }) : IsOptional();
  return applyDecorators(describe, presence, ...rules);
}

/** A value that is not text fails a different rule than text that cannot be parsed. */
function mustBe(rule: string) {
  return ({ property, value }: ValidationArguments): string =>
    `${property} ${typeof value === 'string' ? rule : 'must be text'}`;
}

/** Text that cannot be parsed stays text. */
function readText<Value>(sent: unknown, parse: (text: string) => Value | null): Value | string | symbol {
  const text = toText(sent);
  return text === undefined ? unreadable : (parse(text) ?? text);
}

function toText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'boolean' ? String(value) : numberTextOf(value);
}

function toTexts(sent: unknown): unknown[] | undefined {
  const values = [sent ?? []].flat().filter((value) => value !== '' && value !== null);
  return values.length === 0 ? undefined : values.map((value) => toText(value) ?? unreadable);
}

function toObject(sent: unknown): unknown {
  const value = typeof sent === 'string' ? parsed(sent) : sent;
  if (value === undefined || value === null || value === '') return undefined;
  if (isNothing(value)) return {};
  return isJsonObject(value) ? value : unreadable;
}

/** Text that is not JSON is returned as is, and so is not an object. */
function parsed(text: string): unknown {
  try {
    return parseStrictJson(text);
  } catch {
    return text;
  }
}
