// How Fastify reads and checks requests here: JSON that can be read in one way only, schemas compiled by TypeBox, all
// faults of a part at once, query numbers as numbers.

import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
import '#registry/api/fastify-types.ts';
import { isJsonObject, type Json } from '#core/json.ts';
import { describeJsonFault, parseStrictJson, REQUEST_RULES } from '#core/strict-json.ts';
import { RequestFaults } from '#registry/api/error-handler.ts';
import type { JsonSchema } from '#registry/api/json-schema.ts';
import { MAX_FAULTS, type ProblemFault } from '#registry/api/problem.ts';
import { compileCheck, compileInput, escapeToken, type Validate } from '#registry/api/validation.ts';

const JSON_TYPES = ['application/json', 'application/merge-patch+json'];
/** Read by routes that ask for bytes, and by no other. */
const BYTES_TYPES = ['application/octet-stream', 'application/gzip'];

const PARTS: Readonly<Record<string, Pick<ProblemFault, 'in'>>> = {
  params: { in: 'path' },
  querystring: { in: 'query' },
  headers: { in: 'header' },
};

/** Query parameters are text; where a whole number is expected, what looks like one becomes one. */
const readQuery = (value: unknown, schema: JsonSchema): Json => {
  const properties = schema['properties'] as Readonly<Record<string, JsonSchema>>;
  const isNumber = (name: string): boolean =>
    Object.hasOwn(properties, name) && [properties[name]?.['type']].flat().includes('integer');
  return Object.fromEntries(
    Object.entries(value as Record<string, Json>).map(([name, given]) => [
      name,
      isNumber(name) && typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given,
    ]),
  );
};

const validatorOf = (schema: JsonSchema, part: string): Validate => {
  if (part !== 'querystring') return compileCheck(schema);
  const validate = compileInput(schema);
  return (value) => validate(readQuery(value, schema));
};

const faultsIn = (part: string, faults: readonly ProblemFault[]): readonly ProblemFault[] =>
  faults.map((fault) => ({ ...fault, ...PARTS[part] }));

/** Whoever asks for a dry run must not get the real thing where there is none, nor all where a part was asked for. */
const unknownParameter = (name: string): ProblemFault => ({
  in: 'query',
  pointer: `/${escapeToken(name)}`,
  message: name === 'dryRun' ? 'there is no dry run of this' : 'unknown parameter',
});

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
    BYTES_TYPES,
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      if (request.routeOptions.config.rawBody === true) return body;
      throw new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(request.headers['content-type']);
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
  app.addHook('preValidation', async (request) => {
    const { schema } = request.routeOptions;
    if (schema === undefined || schema.hide === true) return;
    const known = (schema.querystring as { readonly properties?: object } | undefined)?.properties ?? {};
    const unknown = Object.keys(request.query as object).filter((name) => !Object.hasOwn(known, name));
    if (unknown.length > 0) throw new RequestFaults(unknown.slice(0, MAX_FAULTS).map(unknownParameter));
  });
  app.addHook('preHandler', async (request) => {
    const { reasonInBody } = request.routeOptions.config;
    if (reasonInBody !== true) return;
    const inBody = isJsonObject(request.body) && typeof request.body['reason'] === 'string';
    if (!inBody && request.headers['x-change-reason'] === undefined)
      throw new RequestFaults([{ pointer: '/reason', message: 'is required, here or as X-Change-Reason' }]);
  });
};
