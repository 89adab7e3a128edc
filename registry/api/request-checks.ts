// How Fastify reads and checks requests here: JSON that can be read in one way only, schemas compiled by TypeBox, all
// faults of a part at once, query numbers as numbers.

import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
import '#registry/api/fastify-types.ts';
import { isJsonObject, type Json } from '#core/json.ts';
import { describeJsonFault, parseStrictJson, REQUEST_RULES } from '#core/strict-json.ts';
import { RequestFaults } from '#registry/api/error-handler.ts';
import type { JsonSchema } from '#registry/api/json-schema.ts';
import type { ProblemFault } from '#registry/api/problem.ts';
import { compileCheck, compileInput, type Validate } from '#registry/api/validation.ts';

const JSON_TYPES = ['application/json', 'application/merge-patch+json'];
const BYTES_TYPE = 'application/octet-stream';

const PARTS: Readonly<Record<string, Pick<ProblemFault, 'in'>>> = {
  params: { in: 'path' },
  querystring: { in: 'query' },
  headers: { in: 'header' },
};

/** Query parameters are text; those that look like whole numbers become numbers. */
const readQuery = (value: unknown): Json =>
  Object.fromEntries(
    Object.entries(value as Record<string, Json>).map(([name, given]) => [
      name,
      typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given,
    ]),
  );

const validatorOf = (schema: JsonSchema, part: string): Validate => {
  if (part !== 'querystring') return compileCheck(schema);
  const validate = compileInput(schema);
  return (value) => validate(readQuery(value));
};

const faultsIn = (part: string, faults: readonly ProblemFault[]): readonly ProblemFault[] =>
  faults.map((fault) => ({ ...fault, ...PARTS[part] }));

const parseBody = (bytes: Buffer): Json => {
  const parsed = parseStrictJson(bytes, REQUEST_RULES);
  if (parsed.ok) return parsed.value;
  throw new RequestFaults([{ pointer: '', message: describeJsonFault(parsed.error) }]);
};

/** Installs body parsing and validation. */
export const installRequestChecks = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    JSON_TYPES,
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      if (request.routeOptions.config.rawBody === true) return body;
      // DELETE and POST without a body may still carry the header.
      return body.length === 0 ? undefined : parseBody(body);
    },
  );
  app.addContentTypeParser(
    BYTES_TYPE,
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      if (request.routeOptions.config.rawBody === true) return body;
      throw new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(BYTES_TYPE);
    },
  );
  app.setValidatorCompiler(({ schema, httpPart = 'body' }) => {
    const validate = validatorOf(schema as JsonSchema, httpPart);
    return (value: unknown) => {
      const checked = validate(value);
      if (checked.ok) return { value: checked.value };
      return { error: new RequestFaults(faultsIn(httpPart, checked.error)) };
    };
  });
  // Answers are built from stored values that have been checked; a second schema would only drop what it forgot.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.addHook('preHandler', async (request) => {
    // Whoever asks for a dry run must not get the real thing where there is none.
    const { schema } = request.routeOptions;
    if (schema?.querystring === undefined && Object.hasOwn(request.query as object, 'dryRun'))
      throw new RequestFaults([{ in: 'query', pointer: '/dryRun', message: 'there is no dry run of this' }]);
  });
  app.addHook('preHandler', async (request) => {
    const { reasonInBody } = request.routeOptions.config;
    if (reasonInBody !== true) return;
    const inBody = isJsonObject(request.body) && typeof request.body['reason'] === 'string';
    if (!inBody && request.headers['x-change-reason'] === undefined)
      throw new RequestFaults([{ pointer: '/reason', message: 'is required, here or as X-Change-Reason' }]);
  });
};
