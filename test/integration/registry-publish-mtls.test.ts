// Mutual TLS for publishers on the real Envoy, before the real registry: whose certificate speaks for whom, and what
// whoever has none can do.

import { request as plainRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';
import { bytesOf, goodHeader, manifest2, publisherKey, signAs } from '#test/support/manifest-world.ts';
import {
  PUBLISH_CERTIFICATES as CERTIFICATES,
  type TestCertificate,
} from '#test/support/publish-certificates.ts';
import { type PublishGateway, startPublishGateway } from '#test/support/publish-gateway.ts';
import { spkiOf } from '#test/support/spki.ts';
import { until } from '#test/support/xds-gateway.ts';

const TEAM = publisherKey('team-1');
const OTHER = publisherKey('other-1');

let registry: TestRegistry;
let gateway: PublishGateway;
let tenant = '';
let count = 0;

beforeAll(async () => {
  registry = await startTestRegistry();
  gateway = await startPublishGateway(registry.publishSocket);
});

afterAll(async () => {
  await gateway?.stop();
  await registry?.stop();
});

const put = async (path: string, body: object) => {
  const at = `/v1/tenants/${tenant}${path}`;
  const { etag } = await registry.call('GET', at);
  const answer = await registry.call('PUT', at, {
    body,
    headers: etag === '' ? {} : { 'if-match': etag },
  });
  expect(answer.status, path).toBeLessThan(300);
};

const settings = (requirePublisherCertificate: boolean) => ({
  displayName: 'Acme',
  accessContact: '',
  requirePublisherCertificate,
});

const team = (key: typeof TEAM, certificates: readonly object[], displayName = 'Team') => ({
  displayName,
  keys: [{ kid: key.kid, jwk: key.jwk }],
  servers: ['tracker'],
  certificates,
});

beforeEach(async () => {
  tenant = `tenant-${++count}`;
  await put('', settings(true));
  await put('/issuers/home', {
    kind: 'oidc',
    issuer: 'https://login.example.com',
    jwksUri: 'https://login.example.com/keys',
    relation: 'home',
  });
  await put('/servers/tracker', {
    displayName: 'Server',
    allowedHosts: ['tracker.example.com'],
    upstreamAuth: { mode: 'none' },
    bindings: [{ issuerId: 'home', audiences: ['api://tracker'] }],
  });
  await put(
    '/publishers/team',
    team(TEAM, [
      { kind: 'spki-sha256', value: spkiOf(CERTIFICATES.byKey.certificate) },
      { kind: 'san-uri', value: 'spiffe://example.com/tracker-ci' },
      { kind: 'san-dns', value: 'tracker-ci.example' },
    ]),
  );
  await put(
    '/publishers/other',
    team(OTHER, [{ kind: 'san-uri', value: 'spiffe://example.com/reports-ci' }]),
  );
});

type Sent = { readonly status: number; readonly code: string };

const signed = async (key = TEAM) => {
  const bytes = bytesOf(manifest2());
  const signature = await signAs(key, bytes, goodHeader(key.kid, tenant, Math.floor(Date.now() / 1_000)));
  const headers = { 'content-type': 'application/json', 'x-jws-signature': signature };
  return { path: `/v1/tenants/${tenant}/manifests`, body: bytes, headers };
};

const codeOf = (body: string): string =>
  String((JSON.parse(body) as { readonly type?: string }).type ?? '').replace('urn:mcpgw:problem:', '');

const publish = async (
  client: TestCertificate | undefined,
  {
    key = TEAM,
    headers = {},
  }: { readonly key?: typeof TEAM; readonly headers?: Record<string, string> } = {},
): Promise<Sent> => {
  const call = await signed(key);
  const answer = await gateway.call({ ...call, client, headers: { ...call.headers, ...headers } });
  return { status: answer.status, code: codeOf(answer.body) };
};

/** By the API's own port, where nobody shows a certificate. */
const publishPlainly = async (headers: Readonly<Record<string, string>> = {}): Promise<Sent> => {
  const call = await signed();
  const response = await fetch(`${registry.url}${call.path}`, {
    method: 'POST',
    headers: { ...call.headers, ...headers },
    body: new Uint8Array(call.body),
  });
  return { status: response.status, code: codeOf(await response.text()) };
};

const forwarded = (certificate: string): string =>
  `Hash=${'0'.repeat(64)};Cert="${encodeURIComponent(certificate)}"`;

describe('a publisher with a client certificate', () => {
  it.each(['byKey', 'byUri', 'byDns'] as const)('publishes, known %s', async (name) => {
    expect(await publish(CERTIFICATES[name])).toEqual({ status: 201, code: '' });
  });

  it('is refused with a certificate that is bound to nobody, to another publisher, or only looks bound', async () => {
    const refused = { status: 403, code: 'publisher-certificate-not-bound' };
    expect(await publish(CERTIFICATES.stranger)).toEqual(refused);
    expect(await publish(CERTIFICATES.otherTeam)).toEqual(refused);
    expect(await publish(CERTIFICATES.tricky)).toEqual(refused);
    expect(await publish(CERTIFICATES.byUri, { key: OTHER })).toEqual(refused);
    expect((await registry.call('GET', `/v1/tenants/${tenant}/manifests`)).body.items).toEqual([]);
  });

  it('must hold where the tenant asks for none, too', async () => {
    await put('', settings(false));
    expect(await publish(CERTIFICATES.otherTeam)).toEqual({
      status: 403,
      code: 'publisher-certificate-not-bound',
    });
    expect(await publishPlainly()).toEqual({ status: 201, code: '' });
  });

  it('is told nothing about certificates before its signature was found good', async () => {
    const answer = await publish(CERTIFICATES.stranger, { key: publisherKey('team-1') });
    expect(answer).toEqual({ status: 401, code: 'signature-invalid' });
  });
});

describe('the handshake', () => {
  it.each([
    ['no certificate', undefined],
    ['a certificate it has signed itself', CERTIFICATES.selfSigned],
    ['a certificate that was revoked', CERTIFICATES.revoked],
  ])('lets nobody in with %s', async (_, client) => {
    await expect(publish(client)).rejects.toThrow();
  });

  it('takes up a certificate of the gateway that is renamed into place', async () => {
    const names = async () =>
      (await gateway.call({ path: '/', client: CERTIFICATES.byUri }).catch(() => undefined))?.gatewayNames ??
      '';
    expect(await names()).toContain('spiffe://example.com/registry');
    await gateway.replaceCertificate(CERTIFICATES.nextServer);
    await until('the next certificate is shown', async () =>
      (await names()).includes('spiffe://example.com/next'),
    );
    expect(await publish(CERTIFICATES.byUri)).toEqual({ status: 201, code: '' });
  });
});

describe('what a client says of its certificate itself', () => {
  const forged = forwarded(CERTIFICATES.byUri.certificate);

  it('is dropped where a handshake has proved another', async () => {
    expect(await publish(CERTIFICATES.stranger, { headers: { 'x-forwarded-client-cert': forged } })).toEqual({
      status: 403,
      code: 'publisher-certificate-not-bound',
    });
  });

  it('counts for nothing at the port of the API', async () => {
    const refused = { status: 403, code: 'publisher-certificate-required' };
    expect(await publishPlainly()).toEqual(refused);
    expect(await publishPlainly({ 'x-forwarded-client-cert': forged })).toEqual(refused);
  });
});

describe('the listener for publishers', () => {
  it.each([
    ['GET', (id: string) => `/v1/tenants/${id}/manifests`],
    ['GET', () => '/v1/tenants'],
    ['POST', (id: string) => `/v1/tenants/${id}/streams/terminate`],
    ['POST', (id: string) => `/v1/tenants/${id}/manifests/../streams/terminate`],
    ['POST', (id: string) => `//v1/tenants/${id}/manifests`],
    ['PUT', (id: string) => `/v1/tenants/${id}/manifests`],
  ])('leads nowhere else: %s %s', async (method, path) => {
    const answer = await gateway.call({ method, path: path(tenant), client: CERTIFICATES.byUri });
    expect(answer.status).toBe(404);
  });

  it('leads to a socket that takes nothing without what Envoy says', async () => {
    const call = await signed();
    for (const header of [undefined, 'Cert="x"', `${forwarded(CERTIFICATES.byUri.certificate)},Hash=1`]) {
      const status = await new Promise<number>((resolve, reject) => {
        const outgoing = plainRequest(
          {
            socketPath: registry.publishSocket,
            method: 'POST',
            path: call.path,
            headers: {
              ...call.headers,
              ...(header === undefined ? {} : { 'x-forwarded-client-cert': header }),
            },
          },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        );
        outgoing.on('error', reject);
        outgoing.end(call.body);
      });
      expect(status).toBe(400);
    }
  });
});
