// The OpenAPI document: every route is in it, it refers to nothing that is not there, and its schemas are schemas.

import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import {
  createAnswerCheck,
  type OpenApiDocument,
  type ReceivedAnswer,
} from '#test/support/openapi-answers.ts';

type Operation = {
  readonly summary?: string;
  readonly operationId?: string;
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: object }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<
    string,
    { readonly description: string; readonly content?: Record<string, { schema: object }> }
  >;
};

let registry: TestRegistry;
let document: {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly securitySchemes: object };
};

beforeAll(async () => {
  registry = await startTestRegistry();
  document = (await (await fetch(`${registry.url}/openapi.json`)).json()) as typeof document;
});

afterAll(() => registry.stop());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );

const TENANT = '/v1/tenants/{tenant}';
const ROUTES = [
  'get /v1/tenants',
  ...['get', 'put', 'patch', 'delete'].map((method) => `${method} ${TENANT}`),
  ...['get', 'put', 'delete'].map((method) => `${method} ${TENANT}/admin-issuer`),
  ...['get', 'put', 'delete'].map((method) => `${method} ${TENANT}/hosts`),
  ...['get', 'put', 'delete'].map((method) => `${method} ${TENANT}/policy`),
  ...['get', 'post'].map((method) => `${method} ${TENANT}/policy-bundles`),
  ...['get', 'delete'].map((method) => `${method} ${TENANT}/policy-bundles/{digest}`),
  ...['issuers', 'servers', 'grants', 'publishers'].flatMap((path) => [
    `get ${TENANT}/${path}`,
    ...['get', 'put', 'patch', 'delete'].map((method) => `${method} ${TENANT}/${path}/{id}`),
  ]),
  `get ${TENANT}/issuers/{id}/signals`,
  `get ${TENANT}/kill-switches`,
  ...['get', 'put', 'delete'].map((method) => `${method} ${TENANT}/kill-switches/{id}`),
  ...['get', 'post'].map((method) => `${method} ${TENANT}/revocations`),
  `get ${TENANT}/revocations/{id}`,
  `get ${TENANT}/call-approvals`,
  `get ${TENANT}/call-approvals/{id}`,
  `post ${TENANT}/call-approvals/{id}/grant`,
  `post ${TENANT}/call-approvals/{id}/refuse`,
  `put ${TENANT}/servers/{id}/state`,
  `put ${TENANT}/servers/{id}/active-version`,
  ...['get', 'put', 'delete'].map((method) => `${method} ${TENANT}/servers/{id}/traffic`),
  `get ${TENANT}/servers/{id}/limits`,
  `get ${TENANT}/servers/{id}/drift`,
  `get ${TENANT}/servers/{id}/versions`,
  `get ${TENANT}/servers/{id}/versions/{version}`,
  `put ${TENANT}/servers/{id}/versions/{version}`,
  `get ${TENANT}/servers/{id}/versions/{version}/review`,
  `post ${TENANT}/servers/{id}/versions/{version}/approve`,
  `post ${TENANT}/servers/{id}/versions/{version}/reject`,
  `get ${TENANT}/approvals`,
  `post ${TENANT}/manifests/dry-run`,
  `get ${TENANT}/manifests`,
  `post ${TENANT}/manifests`,
  `get ${TENANT}/manifests/{digest}`,
  `post ${TENANT}/streams/terminate`,
  `get ${TENANT}/revisions`,
  `get ${TENANT}/revisions/{number}`,
  `get ${TENANT}/revisions/{number}/diff`,
  `post ${TENANT}/revisions/{number}/restore`,
  `get ${TENANT}/rollout/{revision}`,
  `get ${TENANT}/audit`,
  'get /v1/consumers',
  'get /v1/nodes',
  'get /v1/nodes/{id}/config',
];

describe('/openapi.json', () => {
  it('is OpenAPI 3.1 with exactly the routes there are', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d$/);
    expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    const routes = operations().map(({ path, method }) => `${method} ${path}`);
    expect(routes.toSorted()).toEqual(ROUTES.toSorted());
  });

  it('describes every operation: summary, path parameters, an answer, the problem', () => {
    for (const { path, method, operation } of operations()) {
      const name = `${method} ${path}`;
      expect(operation.summary, name).toBeTruthy();
      expect(operation.operationId, name).toMatch(/^(list|read|put|patch|delete|post)[A-Z][A-Za-z]+$/);
      const declared = (operation.parameters ?? [])
        .filter((parameter) => parameter.in === 'path' && parameter.required === true)
        .map((parameter) => parameter.name);
      expect(declared.toSorted(), name).toEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map(([, n]) => n).toSorted(),
      );
      expect(Object.keys(operation.responses), name).toContain('default');
      expect(
        Object.keys(operation.responses).some((status) => /^2\d\d$/.test(status)),
        name,
      ).toBe(true);
      for (const response of Object.values(operation.responses))
        expect(response.description, name).toEqual(expect.any(String));
    }
  });

  it('names every operation once', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('asks every write for its reason; a manifest is one', () => {
    const isWrite = ({ method, path }: ReturnType<typeof operations>[number]) =>
      method !== 'get' && !/manifests(\/dry-run)?$/.test(path);
    const writes = operations().filter(isWrite);
    for (const { path, method, operation } of writes) {
      const reason = operation.parameters?.find((parameter) => parameter.name === 'x-change-reason');
      expect(reason, `${method} ${path}`).toBeDefined();
      const isAction =
        /state$|terminate$|approve$|reject$|grant$|refuse$|revocations$/.test(path) ||
        (method === 'put' && /kill-switches/.test(path));
      expect(reason?.required ?? false, `${method} ${path}`).toBe(!isAction);
    }
  });

  it('holds schemas that JSON Schema 2020-12 knows, and no reference into nowhere', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const schemas = operations().flatMap(({ operation }) => [
      ...(operation.parameters ?? []).map((parameter) => parameter.schema),
      ...Object.values(operation.requestBody?.content ?? {}).map((media) => media.schema),
      ...Object.values(operation.responses).flatMap((response) =>
        Object.values(response.content ?? {}).map((media) => media.schema),
      ),
    ]);
    expect(schemas.length).toBeGreaterThan(100);
    for (const schema of schemas) expect(() => ajv.compile(schema)).not.toThrow();
    expect(JSON.stringify(document)).not.toContain('"$ref"');
  });

  it('says what the API does: a body it accepts is accepted, one it refuses is refused', async () => {
    const put = document.paths[`${TENANT}/issuers/{id}`]?.['put'];
    const schema = put?.requestBody?.content['application/json']?.schema;
    const check = new Ajv2020({ strict: false, validateFormats: false }).compile(schema ?? false);
    await registry.call('PUT', '/v1/tenants/acme', { body: { displayName: 'a', accessContact: '' } });
    const good = {
      kind: 'oidc',
      issuer: 'https://a.example.com',
      jwksUri: 'https://a.example.com/k',
      relation: 'home',
    };
    const bodies = [good, { ...good, extra: 1 }, { ...good, kind: 'saml' }, { ...good, algorithms: [] }, {}];
    for (const [index, body] of bodies.entries()) {
      const answer = await registry.call('PUT', `/v1/tenants/acme/issuers/i${index}`, { body });
      expect(answer.status === 201, JSON.stringify(answer.body)).toBe(check(body));
    }
  });

  it('names the media types it takes', () => {
    const patch = document.paths[`${TENANT}/grants/{id}`]?.['patch'];
    expect(Object.keys(patch?.requestBody?.content ?? {})).toContain('application/merge-patch+json');
    const problem = patch?.responses['default'];
    expect(Object.keys(problem?.content ?? {})).toEqual(['application/problem+json']);
  });
});

describe('every answer the tests see', () => {
  const answer = (changes: Partial<ReceivedAnswer> = {}): ReceivedAnswer => ({
    method: 'GET',
    path: '/v1/tenants/acme',
    status: 200,
    headers: new Headers({ 'content-type': 'application/json', etag: '"1"' }),
    text: JSON.stringify({
      id: 'acme',
      revision: 1,
      displayName: 'Acme',
      accessContact: '',
      allowedOrigins: [],
      fourEyes: true,
    }),
    ...changes,
  });
  const problem = (members: object) => ({
    status: 404,
    headers: new Headers({ 'content-type': 'application/problem+json' }),
    text: JSON.stringify({ type: 'urn:x', title: 'x', status: 404, detail: 'x', ...members }),
  });
  const tenantWith = (members: object) => ({
    text: JSON.stringify({ ...JSON.parse(answer().text), ...members }),
  });

  it('is held to the document: status, headers, media type, members', () => {
    const check = createAnswerCheck(document as unknown as OpenApiDocument);
    expect(check(answer())).toEqual([]);
    expect(check(answer(problem({})))).toEqual([]);
    expect(check(answer({ path: '/v1/nowhere' }))).toEqual([]);
    const wrong: readonly Partial<ReceivedAnswer>[] = [
      { status: 202 },
      { status: 500 },
      { headers: new Headers({ 'content-type': 'text/html', etag: '"1"' }) },
      { headers: new Headers({ 'content-type': 'application/json' }) },
      { headers: new Headers({ 'content-type': 'application/json', etag: '"1"', location: '/' }) },
      { text: '' },
      tenantWith({ revision: 'one' }),
      tenantWith({ surprise: 1 }),
      tenantWith({ id: undefined }),
      problem({ surprise: 1 }),
      problem({ errors: [{ pointer: '', message: '', severity: 'error' }] }),
    ];
    for (const changes of wrong) expect(check(answer(changes)), JSON.stringify(changes)).toHaveLength(1);
  });
});
