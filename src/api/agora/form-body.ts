import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiBody, ApiConsumes } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { pairsOf } from '../../decoding/text.js';
import { AppError } from '../../errors/app-error.js';
import { describedParameter } from '../../http/described-parameter.js';
import { RawBody } from '../../http/raw-body.js';

const formType = 'application/x-www-form-urlencoded';

const readForm = createParamDecorator((_data: unknown, context: ExecutionContext): ReadonlyMap<string, string> => {
  const { body } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!(body instanceof RawBody)) return new Map();
  checkContentType(body, formType);
  const pairs = body.decode((decoder) => pairsOf(Buffer.from(body.bytes).toString('latin1'), decoder));
  const values = new Map(pairs);
  if (values.size < pairs.length)
    throw new AppError('argument_invalid', { detail: 'each field may appear only once in the form' });
  return values;
});

/** Injects the body as a form: strings by name. @param description of the names, for the API document */
export const FormBody = (description: string): ParameterDecorator =>
  describedParameter(
    readForm(),
    ApiConsumes(formType),
    ApiBody({ schema: { type: 'object', additionalProperties: { type: 'string' }, description } }),
  );

/** Accepts a body of this type, or of none, which the route then interprets. @throws AppError media_type_unsupported */
export function checkContentType({ contentType }: RawBody, expected: string): void {
  const [type = ''] = contentType.split(';', 1);
  if (type.trim() !== '' && type.trim().toLowerCase() !== expected)
    throw new AppError('media_type_unsupported', { detail: contentType });
}

const checkJson = createParamDecorator((_data: unknown, context: ExecutionContext): void => {
  const { body } = context.switchToHttp().getRequest<FastifyRequest>();
  if (body instanceof RawBody) checkContentType(body, 'application/json');
});

/** Rejects a body declared as anything but JSON, before another parameter reads it. */
export const JsonOnly = (): ParameterDecorator => checkJson();
