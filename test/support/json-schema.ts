/** As much of JSON schema as the service's OpenAPI document uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly maxProperties?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
}

/** Words that only describe, and check nothing. */
const descriptiveWords = new Set(['description', 'example', 'default', 'title']);
const known = new Set([
  ...['$ref', 'type', 'nullable', 'enum', 'oneOf', 'allOf', 'properties', 'required', 'additionalProperties'],
  ...['maxProperties', 'items', 'minItems', 'maxItems', 'minimum', 'maximum', 'maxLength', 'pattern', 'format'],
]);
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The named schemas of a document. */
export type NamedSchemas = Readonly<Record<string, JsonSchema>>;

export function resolved(schema: JsonSchema, named: NamedSchemas): JsonSchema {
  if (schema.$ref === undefined) return schema;
  const found = named[schema.$ref.replace('#/components/schemas/', '')];
  if (found === undefined) throw new Error(`the document does not have ${schema.$ref}`);
  return resolved(found, named);
}

/**
 * What is wrong with a value, or null. Stricter than JSON schema: if members are listed, there may be no others, so
 * that nothing undocumented leaves the service.
 */
export function violation(written: JsonSchema, value: unknown, named: NamedSchemas, at = 'body'): string | null {
  const schema = resolved(written, named);
  for (const word of Object.keys(schema))
    if (!known.has(word) && !descriptiveWords.has(word)) throw new Error(`${at}: unsupported keyword ${word}`);
  if (value === null && schema.nullable === true) return null;
  if (schema.allOf !== undefined)
    return schema.allOf.map((one) => violation(one, value, named, at)).find((problem) => problem !== null) ?? null;
  if (schema.oneOf !== undefined) {
    const problems = schema.oneOf.map((one) => violation(one, value, named, at));
    return problems.filter((problem) => problem === null).length === 1
      ? null
      : `${at}: not exactly one of ${problems.join(' | ')}`;
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) return `${at}: ${excerpt(value)} is not in the enum`;
  switch (schema.type) {
    case undefined:
      return null;
    case 'string':
      return typeof value === 'string' ? textViolation(schema, value, at) : `${at}: ${excerpt(value)} is not a string`;
    case 'boolean':
      return typeof value === 'boolean' ? null : `${at}: ${excerpt(value)} is not a boolean`;
    case 'integer':
    case 'number':
      return numberViolation(schema, value, at);
    case 'array':
      return listViolation(schema, value, named, at);
    case 'object':
      return objectViolation(schema, value, named, at);
    default:
      throw new Error(`${at}: unsupported type ${schema.type}`);
  }
}

function textViolation({ maxLength, pattern, format }: JsonSchema, value: string, at: string): string | null {
  if (maxLength !== undefined && value.length > maxLength) return `${at}: longer than ${maxLength}`;
  if (pattern !== undefined && !new RegExp(pattern).test(value)) return `${at}: ${excerpt(value)} does not match`;
  return format === 'uuid' && !uuid.test(value) ? `${at}: ${excerpt(value)} is not a uuid` : null;
}

function numberViolation({ type, minimum, maximum }: JsonSchema, value: unknown, at: string): string | null {
  if (typeof value !== 'number' || !Number.isFinite(value)) return `${at}: ${excerpt(value)} is not a number`;
  if (type === 'integer' && !Number.isSafeInteger(value)) return `${at}: ${value} is not an integer`;
  return value < (minimum ?? value) || value > (maximum ?? value) ? `${at}: ${value} is out of range` : null;
}

function listViolation(schema: JsonSchema, value: unknown, named: NamedSchemas, at: string): string | null {
  if (!Array.isArray(value)) return `${at}: ${excerpt(value)} is not a list`;
  if (value.length < (schema.minItems ?? 0) || value.length > (schema.maxItems ?? Infinity))
    return `${at}: has ${value.length} items`;
  const { items = {} } = schema;
  for (const [index, item] of value.entries()) {
    const problem = violation(items, item, named, `${at}[${index}]`);
    if (problem !== null) return problem;
  }
  return null;
}

function objectViolation(schema: JsonSchema, value: unknown, named: NamedSchemas, at: string): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `${at}: ${excerpt(value)} is not an object`;
  const { properties = {}, required = [], additionalProperties, maxProperties = Infinity } = schema;
  const missing = required.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return `${at}: ${missing} is missing`;
  const others = additionalProperties ?? schema.properties === undefined;
  const entries = Object.entries(value);
  if (entries.length > maxProperties) return `${at}: has ${entries.length} members`;
  for (const [name, member] of entries) {
    const rule = Object.hasOwn(properties, name) ? properties[name] : others;
    if (rule === false || rule === undefined) return `${at}: ${excerpt(name)} is undocumented`;
    const problem = rule === true ? null : violation(rule, member, named, `${at}.${name}`);
    if (problem !== null) return problem;
  }
  return null;
}

function excerpt(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 100);
}
