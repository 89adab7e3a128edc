// Every route of the running API with everything wrong that its own document suggests: each part of a request, each
// member of a body. No answer is a fault of the registry, and every refusal names what was wrong with what was sent.

import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  adminToken,
  answerFrom,
  startTestRegistry,
  type TestRegistry,
} from '#test/integration/registry-harness.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly required?: readonly string[];
};

type Parameter = { readonly name: string; readonly in: 'path' | 'query' | 'header'; readonly schema: Schema };

type Operation = {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
};

type Route = { readonly method: string; readonly template: string; readonly operation: Operation };

type Attempt = {
  readonly what: string;
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

let registry: TestRegistry;
let token: string;
let routes: readonly Route[];

const sample = sampleTenant('acme');
const [issuer, server, grant, publisher] = [
  sample.issuers[0],
  sample.servers[0],
  sample.grants[0],
  sample.publishers[0],
];
const { versions: _versions, enabled: _enabled, activeVersion: _active, ...serverSettings } = server ?? {};

/** Names that exist, so that a request gets as far as it can. */
const NAMES: Readonly<Record<string, string>> = {
  tenant: 'acme',
  id: 'tracker',
  version: '1.0.0',
  number: '1',
  digest: '0'.repeat(64),
};

/** Good bodies, to be spoiled one member at a time. A route that is not here is sent what its schema needs. */
const BODIES: Readonly<Record<string, unknown>> = {
  'PUT /v1/tenants/{tenant}': {
    displayName: 'Acme',
    accessContact: '',
    allowedOrigins: ['https://a.example'],
  },
  'PUT /v1/tenants/{tenant}/issuers/{id}': issuer,
  'PUT /v1/tenants/{tenant}/servers/{id}': serverSettings,
  'PUT /v1/tenants/{tenant}/grants/{id}': grant,
  'PUT /v1/tenants/{tenant}/publishers/{id}': publisher,
  'PUT /v1/tenants/{tenant}/servers/{id}/versions/{version}': server?.versions[0],
  'PUT /v1/tenants/{tenant}/kill-switches/{id}': {
    target: { kind: 'tool', serverId: 'tracker', tool: 'create_issue' },
    until: '2099-01-01T00:00:00Z',
    note: 'a note',
  },
  'PUT /v1/tenants/{tenant}/servers/{id}/state': { enabled: false, reason: 'a test' },
  'PUT /v1/tenants/{tenant}/servers/{id}/active-version': { version: '1.0.0' },
  'PUT /v1/tenants/{tenant}/servers/{id}/traffic': {
    weights: [{ version: '1.0.0', weight: 1 }],
    tools: [{ tool: 'create_issue', weights: [{ version: '1.0.0', weight: 1 }] }],
    testers: [{ version: '1.0.0', header: { name: 'x-canary', value: 'yes' } }],
    steps: [{ afterSeconds: 60, weights: [{ version: '1.0.0', weight: 1 }] }],
    withdrawn: [],
  },
  'POST /v1/tenants/{tenant}/streams/terminate': { serverId: 'tracker', reason: 'a test' },
  'PUT /v1/tenants/{tenant}/hosts': { names: ['mcp.example.com'] },
  'PUT /v1/tenants/{tenant}/admin-issuer': {
    issuer: 'https://login.example.com/acme',
    jwksUri: 'https://login.example.com/keys',
    audience: 'acme',
    rolesClaim: 'roles',
  },
};

beforeAll(async () => {
  registry = await startTestRegistry();
  token = await adminToken(['platform-admin']);
  const document = (await (await fetch(`${registry.url}/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  routes = Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      template,
      operation,
    })),
  );
  const put = async (path: string, body: unknown) => {
    const made = await registry.call('PUT', `/v1/tenants/acme${path}`, { body });
    expect(made.status, path).toBe(201);
  };
  await put('', { displayName: 'Acme', accessContact: '' });
  await put('/issuers/home', issuer);
  await put('/servers/tracker', { ...serverSettings, id: 'tracker' });
  await put('/servers/tracker/versions/1.0.0', server?.versions[0]);
  await put('/grants/tracker', { ...grant, id: 'tracker' });
  await put('/publishers/tracker', { ...publisher, id: 'tracker', servers: ['tracker'] });
});

afterAll(() => registry.stop());

const LONG = 'x'.repeat(20_000);
const DEEP = `${'['.repeat(200)}${']'.repeat(200)}`;

const BAD_PATHS = ['A', '-x', 'a'.repeat(90), '%00', '%ff', 'a%2fb', '..%2f..', '%F0%9F%98%80', '__proto__'];
const BAD_QUERIES = [
  '',
  '0',
  '-1',
  '1.5',
  '99999999999999999999',
  'null',
  'x'.repeat(3_000),
  '%00',
  '%ff',
  '[]',
];
const BAD_HEADERS = ['', '"', '"0", x', 'W/"1"', 'x'.repeat(3_000), '\u00ff\u00fe', '..'];
const BAD_VALUES = [null, true, -1, 1.5, 1e300, '', '\u0000', LONG, [], {}, [null, null], { a: {} }];
const BAD_BODIES = [
  ...['', '{', '{}', 'null', '[]', '"text"', '5', '{"a":1,"a":2}', '{"__proto__":{"x":1}}', DEEP],
  ...['{"constructor":1}', '\ufeff{}', '{"a":"\\ud800"}', `{"${LONG}":1}`],
];

/** The value with the one at `steps` replaced. */
const withValue = (value: unknown, steps: readonly string[], bad: unknown): unknown => {
  const [step, ...rest] = steps;
  if (step === undefined) return bad;
  if (Array.isArray(value)) return [withValue(value[0], rest, bad), ...value.slice(1)];
  const members = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return { ...members, [step]: withValue(members[step], rest, bad) };
};

/** Where the members of a schema are, as steps; `0` is the first of a list. */
const placesIn = (schema: Schema, depth = 4): readonly (readonly string[])[] => {
  if (depth === 0) return [];
  const inner = (step: string, next: Schema) => [
    [step],
    ...placesIn(next, depth - 1).map((at) => [step, ...at]),
  ];
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, next]) => inner(name, next)),
    ...(schema.items === undefined ? [] : inner('0', schema.items)),
  ];
};

const bodyAttempts = (route: Route): readonly Attempt[] => {
  const content = Object.entries(route.operation.requestBody?.content ?? {});
  const [mediaType = '', { schema = {} } = {}] = content[0] ?? [];
  if (content.length === 0) return [];
  const headers = { 'content-type': mediaType };
  const good = BODIES[`${route.method} ${route.template}`] ?? {};
  const spoiled = [...placesIn(schema), ['unknown'], ['__proto__x']].flatMap((steps) =>
    BAD_VALUES.map((bad) => ({
      what: `/${steps.join('/')} = ${JSON.stringify(bad).slice(0, 40)}`,
      headers,
      body: JSON.stringify(withValue(good, steps, bad)),
    })),
  );
  return [
    ...BAD_BODIES.map((body) => ({ what: `body ${body.slice(0, 40)}`, headers, body })),
    { what: 'a body of another type', headers: { 'content-type': 'text/plain' }, body: '{}' },
    { what: 'a body without a type', body: '{}' },
    ...spoiled,
  ];
};

const attemptsOf = (route: Route): readonly Attempt[] => {
  const parameters = route.operation.parameters ?? [];
  const named = (place: Parameter['in']) => parameters.filter((parameter) => parameter.in === place);
  return [
    { what: 'nothing' },
    { what: 'an unknown parameter', query: 'unknown=1' },
    ...named('path').flatMap(({ name }) =>
      BAD_PATHS.map((bad) => ({ what: `path ${name} = ${bad}`, path: { [name]: bad } })),
    ),
    ...named('query').flatMap(({ name }) => [
      { what: `query ${name} twice`, query: `${name}=1&${name}=2` },
      ...BAD_QUERIES.map((bad) => ({ what: `query ${name} = ${bad.slice(0, 20)}`, query: `${name}=${bad}` })),
    ]),
    ...named('header').flatMap(({ name }) =>
      BAD_HEADERS.map((bad) => ({ what: `header ${name} = ${bad.slice(0, 20)}`, headers: { [name]: bad } })),
    ),
    ...bodyAttempts(route),
  ];
};

const send = async ({ method, template }: Route, attempt: Attempt): Promise<Response> => {
  const names = { ...NAMES, ...attempt.path };
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name] ?? 'x');
  return fetch(`${registry.url}${path}${attempt.query === undefined ? '' : `?${attempt.query}`}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'x-change-reason': 'a test',
      // What is removed is not there for the next attempt.
      'if-match': method === 'DELETE' ? '"999999"' : '*',
      ...attempt.headers,
    },
    ...(attempt.body === undefined ? {} : { body: attempt.body }),
  });
};

/** What is wrong with an answer, if anything. */
const faultOf = async (route: Route, response: Response): Promise<string | undefined> => {
  const { status, body, headers } = await answerFrom(route.method, response);
  if (status >= 500) return `status ${status}`;
  if (status < 400) return undefined;
  if (!/^application\/problem\+json\b/.test(headers.get('content-type') ?? '')) return 'no problem document';
  if (!/^urn:mcpgw:problem:[a-z-]+$/.test(body.type) || body.status !== status) return 'type or status';
  const isAboutFields = status === 400 || status === 422;
  const named = (body.errors ?? []).filter(
    ({ pointer, message }) => /^(\/|$)/.test(pointer) && message !== '',
  );
  return isAboutFields && named.length === 0 ? `nothing is named: ${JSON.stringify(body)}` : undefined;
};

it('is answered, never failed, and told what is wrong', async () => {
  const faults: string[] = [];
  let count = 0;
  for (const route of routes)
    for (const attempt of attemptsOf(route)) {
      count += 1;
      const fault = await send(route, attempt)
        .then((response) => faultOf(route, response))
        .catch((thrown: unknown) => String(thrown));
      if (fault !== undefined) faults.push(`${route.method} ${route.template}, ${attempt.what}: ${fault}`);
    }
  expect(faults).toEqual([]);
  expect(count).toBeGreaterThan(3_000);
  // The tenant is still whole.
  expect((await registry.call('GET', '/v1/tenants/acme/servers/tracker')).status).toBe(200);
  expect(await registry.store.findAuditFault()).toBeUndefined();
}, 180_000);
