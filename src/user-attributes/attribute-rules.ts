import { AppError } from '../errors/app-error.js';

/** Attributes by name, in the order in which they were first set. */
export type Attributes = ReadonlyMap<string, string>;

/** All names and values of one user, in UTF-8 bytes: the vendor's 2 KB. */
export const maxBytesPerUser = 2_048;

/** Maximum characters per value, for the names that the vendor's clients use for a profile. */
const maxLengths: Readonly<Record<string, number>> = {
  nickname: 64,
  avatarurl: 256,
  phone: 32,
  mail: 64,
  sign: 256,
  birth: 64,
};
const genders = ['0', '1', '2'];

/** The size at which a user's attributes are counted, in UTF-8 bytes. */
export function bytesOf(attributes: Attributes): number {
  let bytes = 0;
  for (const [name, value] of attributes) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  return bytes;
}

/**
 * The attributes after a change, in which an empty value removes its attribute.
 * @throws AppError argument_invalid, attribute_too_long, attributes_too_large
 */
export function changed(before: Attributes, changes: Attributes): Attributes {
  const after = new Map(before);
  for (const [name, value] of changes) {
    checkAttribute(name, value);
    if (value === '') after.delete(name);
    else after.set(name, value);
  }
  if (bytesOf(after) > maxBytesPerUser) throw new AppError('attributes_too_large', { limit: maxBytesPerUser });
  return after;
}

function checkAttribute(name: string, value: string): void {
  if (name === '') throw new AppError('argument_invalid', { detail: 'the name of an attribute must not be empty' });
  // A client that copies the answer into an object would change the object instead.
  if (name === '__proto__')
    throw new AppError('argument_invalid', { detail: 'an attribute cannot be called __proto__' });
  const maxLength = Object.hasOwn(maxLengths, name) ? (maxLengths[name] as number) : Infinity;
  if ([...value].length > maxLength) throw new AppError('attribute_too_long', { detail: name, limit: maxLength });
  if (name === 'gender' && value !== '' && !genders.includes(value))
    throw new AppError('argument_invalid', { detail: `gender must be ${genders.join(', ')} or empty` });
}
