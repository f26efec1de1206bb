import type { Response } from 'supertest';

const anyNumber = expect.any(Number) as number;
const uuidV1 = /^[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Members and their order, at the top and in each entity: what a streaming parser would depend on. */
export function expectOrder(response: Response, members: readonly string[], ofEntities?: readonly string[]): void {
  expect(Object.keys(response.body as object)).toEqual(members);
  for (const entity of (response.body as { entities?: object[] }).entities ?? [])
    if (ofEntities !== undefined) expect(Object.keys(entity)).toEqual(ofEntities);
}

/** A user as in the vendor's examples: `uuid` of version 1, integers for times. */
export function anEntity(members: Readonly<Record<string, unknown>>): object {
  return {
    uuid: expect.stringMatching(uuidV1) as string,
    type: 'user',
    created: anyNumber,
    modified: anyNumber,
    activated: true,
    ...members,
  };
}

export const entityMembers = ['uuid', 'type', 'created', 'modified', 'username', 'activated'];

export interface ExpectedError {
  readonly status: number;
  readonly error: string;
  readonly exception?: string;
  readonly description: string | RegExp;
}

/** The five members of an error, in order, and no others. */
export function expectError(
  answer: { status: number; body: any; headers: Readonly<Record<string, unknown>> },
  expected: ExpectedError,
): void {
  const { status, error, exception, description } = expected;
  expect({ status: answer.status, ...answer.body }).toEqual({
    status,
    error,
    exception: exception ?? (expect.any(String) as string),
    timestamp: anyNumber,
    duration: anyNumber,
    error_description: typeof description === 'string' ? description : expect.stringMatching(description),
  });
  expect(Object.keys(answer.body)).toEqual(['error', 'exception', 'timestamp', 'duration', 'error_description']);
  expect(Number.isInteger(answer.body.timestamp) && Number.isInteger(answer.body.duration)).toBe(true);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  expect(JSON.stringify(answer.body).length).toBeLessThan(4096);
}

const security = 'EasemobSecurityException';
const illegal = (description: string | RegExp): ExpectedError => ({
  status: 400,
  error: 'illegal_argument',
  exception: 'java.lang.IllegalArgumentException',
  description,
});

/** The vendor's errors, word for word. */
export const agoraErrors = {
  noToken: { status: 401, error: 'unauthorized', exception: security, description: 'Unable to authenticate (OAuth)' },
  garbage: {
    status: 401,
    error: 'auth_bad_access_token',
    exception: security,
    description: 'Unable to authenticate due to corrupt access token',
  },
  expired: { status: 401, error: 'unauthorized', exception: security, description: 'Unable to authenticate (OAuth)' },
  foreign: { status: 401, error: 'auth_bad_access_token', exception: security, description: 'Unable to authenticate.' },
  closed: {
    status: 401,
    error: 'unauthorized',
    exception: security,
    description: "Open registration doesn't allow, so register user need token,",
  },
  missingUser: {
    status: 404,
    error: 'service_resource_not_found',
    exception: 'UserNotFoundException',
    description: 'Service resource not found',
  },
  missingRoute: {
    status: 404,
    error: 'service_resource_not_found',
    exception: 'ServiceResourceNotFoundException',
    description: 'There is no such route',
  },
  missingEntity: {
    status: 404,
    error: 'entity_not_found',
    exception: 'EntityNotFoundException',
    description: 'User null not found',
  },
  missingApp: (name: string, uri: string): ExpectedError => ({
    status: 404,
    error: 'organization_application_not_found',
    description: `Could not find application for ${name} from URI: ${uri}`,
  }),
  duplicate: (username: string): ExpectedError => ({
    status: 400,
    error: 'duplicate_unique_property_exists',
    exception: 'DuplicateUniquePropertyExistsException',
    description: `Application null Entity user requires that property named username be unique, value of ${username} exists`,
  }),
  illegal,
  illegalName: (username: string): ExpectedError => illegal(`username [${username}] is not legal`),
  grant: (description: string | RegExp, status = 400): ExpectedError => ({
    status,
    error: 'invalid_grant',
    description,
  }),
  json: { status: 400, error: 'json_parse', description: /./ },
  tooMany: { status: 429, error: 'reach_limit', description: 'This request has reached api limit' },
  unavailable: {
    status: 503,
    error: 'service_unavailable',
    exception: 'ServiceUnavailableException',
    description: 'The service is busy, please try again later',
  },
  wrongMethod: { status: 405, error: 'unsupported_service_operation', description: 'Service operation not supported.' },
  tooLarge: { status: 413, error: 'request_entity_too_large', description: 'the file size exceeds the maximum limit.' },
} satisfies Record<string, ExpectedError | ((...args: never[]) => ExpectedError)>;
