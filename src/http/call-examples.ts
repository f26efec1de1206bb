import { ApiExtension, type OpenAPIObject } from '@nestjs/swagger';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Content = Record<string, { schema?: object; example?: unknown; examples?: Record<string, object> }>;

/** A call of a route and its answer, as the API document shows them. */
export interface CallExample {
  /** By the name of the parameter of the path or of the query. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly answer: object;
}

/** By what each of them shows. */
export type CallExamples = Readonly<Record<string, CallExample>>;

const extension = 'x-examples';

/** Adds examples to a handler; the first one fills in the form of the API page. */
export const ShowExamples = (examples: CallExamples): MethodDecorator => ApiExtension(extension, examples);

/** Moves the examples of an operation to the places that OpenAPI has for their parts. */
export function placeExamples(operation: Operation): void {
  const { [extension]: examples, ...placed } = operation as Operation & { [extension]?: CallExamples };
  if (examples === undefined) return;
  Reflect.deleteProperty(operation, extension);
  const [first] = Object.values(examples);
  for (const parameter of placed.parameters ?? [])
    if ('name' in parameter && first?.parameters?.[parameter.name] !== undefined)
      parameter.example = first.parameters[parameter.name];
  const { requestBody } = placed;
  if (requestBody !== undefined && 'content' in requestBody) show(requestBody.content, examples, 'body');
  const success = placed.responses['200'];
  if (success !== undefined && 'content' in success) show(success.content as Content, examples, 'answer');
}

/** A single example goes without its name, as the page would otherwise offer a choice of one. */
function show(content: Content, examples: CallExamples, part: 'answer' | 'body'): void {
  const shown = Object.entries(examples).filter(([, example]) => example[part] !== undefined);
  const json = content['application/json'];
  if (json === undefined || shown.length === 0) return;
  if (shown.length === 1) json.example = shown[0]?.[1][part];
  else json.examples = Object.fromEntries(shown.map(([name, example]) => [name, { value: example[part] }]));
}
