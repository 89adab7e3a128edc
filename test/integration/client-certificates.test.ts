// Tokens that are bound to a client certificate (RFC 8705), through the real Envoy that asks clients for certificates, in
// front of the identity part of ext-authz as it is.
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '#core/tenant.ts';
import { writeGatewayAuthorities } from '#envoy/gateway-authorities.ts';
import { writeGatewayCertificate } from '#envoy/gateway-certificate.ts';
import { type IdentityBench, startIdentityBench } from '#test/support/identity-bench.ts';
import { type SessionGateway, startSessionGateway } from '#test/support/session-gateway.ts';
import { createTestAuthority, type IssuedCertificate } from '#test/support/test-authority.ts';
import {
  createTestKey,
  oidcClaims,
  oidcIssuer,
  publishKey,
  signWith,
  testTenant,
} from '#test/support/token-issuer.ts';
import { startVersionServer, type VersionServer, versionTools } from '#test/support/version-server.ts';

const HOUR_MS = 3_600_000;
const key = createTestKey('good');
const authority = createTestAuthority('clients');
const strangers = createTestAuthority('clients of others');
const holder = authority.issue(['spiffe://acme.example/robot']);
const other = authority.issue(['spiffe://acme.example/other']);
const machine = authority.issue(['spiffe://acme.example/robots/nightly']);
/** By another authority at the listener, which another tenant brought. */
const stranger = strangers.issue(['spiffe://acme.example/robots/nightly']);
/** The same names, by somebody whom nobody trusts. */
const forged = createTestAuthority('clients').issue(['spiffe://acme.example/robot']);

let directory: string;
let bench: IdentityBench;
let upstream: VersionServer;
let world: SessionGateway;
let bound: string;
let plain: string;

const thumbprintOf = ({ certificate }: IssuedCertificate): string =>
  createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url');

const claimsNow = (changes: object = {}): Record<string, unknown> => {
  const now = Math.floor(Date.now() / 1000);
  return oidcClaims({ iat: now - 10, exp: now + 3_600, ...changes });
};

const tenantNow = (): Tenant => {
  const machineCertificates = {
    authorities: authority.certificate,
    names: ['spiffe://acme.example/robots/*'],
  };
  const tenant = testTenant([oidcIssuer(bench.keyServer.url, { machineCertificates })]);
  const servers = tenant.servers.map((server) => ({
    ...server,
    allowedHosts: [new URL(upstream.url).host],
    activeVersion: '1.0.0',
    versions: [
      {
        version: '1.0.0',
        endpoints: [upstream.url],
        transport: 'streamable-http' as const,
        protocolVersions: ['2025-11-25'],
        tools: versionTools(['ping']),
      },
    ],
  }));
  return { ...tenant, servers };
};

const place = async (name: string, content: string): Promise<string> => {
  const path = join(directory, name);
  await writeFile(`${path}.new`, content, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return path;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'client-tls-'));
  bench = await startIdentityBench([publishKey(key)]);
  upstream = await startVersionServer('1.0.0', ['ping']);
  bound = await signWith(key, claimsNow({ cnf: { 'x5t#S256': thumbprintOf(holder) } }));
  plain = await signWith(key, claimsNow());
  world = await startSessionGateway({
    authenticator: bench.authenticator,
    listenerTls: true,
    listenerClientCertificates: true,
  });
  const own = createTestAuthority('gateway').issue(['127.0.0.1']);
  await writeGatewayCertificate(world.gateway.directory, {
    certificateFile: await place('tls.pem', own.certificate),
    keyFile: await place('tls.key', own.key),
  });
  const caFile = await place('clients.pem', `${authority.certificate}${strangers.certificate}`);
  await writeGatewayAuthorities(world.gateway.directory, { caFile, crlFile: '' });
  await world.update({ sequence: 1, tenants: [tenantNow()] });
}, 120_000);
afterAll(async () => {
  await world?.stop();
  await Promise.all([bench?.stop(), upstream?.stop()]);
  await rm(directory, { recursive: true, force: true });
});

const clientOf = (client: IssuedCertificate | undefined): ConnectionOptions => ({
  rejectUnauthorized: false,
  ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
});

/** `ok`, or the reason of the refusal; rejects where there is no connection. */
const call = (
  token: string | undefined,
  client: IssuedCertificate | undefined,
  headers: Record<string, string> = {},
): Promise<string> =>
  new Promise((resolve, reject) => {
    const outgoing = request(
      `${world.gateway.origin}/mcp/tracker`,
      {
        method: 'POST',
        agent: false,
        ...clientOf(client),
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2025-11-25',
          ...headers,
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve(/"reason":"(\w+)"/.exec(text)?.[1] ?? (response.statusCode === 200 ? 'ok' : text)),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }));
  });

describe('a token that is bound to a client certificate', () => {
  it('is taken over a connection with that certificate, and over no other', async () => {
    expect(await call(bound, holder)).toBe('ok');
    expect(await call(bound, other)).toBe('token_certificate_mismatch');
    expect(await call(bound, undefined)).toBe('token_certificate_missing');
  });

  it('needs the certificate with every call, though the token is remembered', async () => {
    for (let i = 0; i < 3; i += 1) expect(await call(bound, holder)).toBe('ok');
    expect(await call(bound, undefined)).toBe('token_certificate_missing');
  });

  it('is not helped by a certificate in a header, which goes nowhere', async () => {
    const told = {
      'x-forwarded-client-cert': `Hash=${'a'.repeat(64)};Cert="${encodeURIComponent(holder.certificate)}"`,
    };
    expect(await call(bound, undefined, told)).toBe('token_certificate_missing');
    expect(await call(bound, holder, told)).toBe('ok');
    expect(upstream.seenHeaders()).not.toHaveProperty('x-forwarded-client-cert');
  });
});

describe('a machine with a certificate and no token', () => {
  it('is known by the name its authority gave it', async () => {
    expect(await call(undefined, machine)).toBe('ok');
    const written = world.written.join('\n');
    expect(written).toContain('spiffe://acme.example/robots/nightly');
    expect(upstream.seenHeaders()).not.toHaveProperty('x-forwarded-client-cert');
  });

  it('is nobody under another name, or by the authority of somebody else, though the listener let it in', async () => {
    expect(await call(undefined, holder)).toBe('certificate_name_refused');
    expect(await call(undefined, stranger)).toBe('certificate_unknown');
    expect(await call(undefined, undefined)).toBe('token_missing');
  });

  it('is judged by its token as soon as it sends one', async () => {
    expect(await call('made-up', machine)).toBe('token_malformed');
    expect(await call(bound, machine)).toBe('token_certificate_mismatch');
    expect(await call(undefined, machine, { authorization: 'Basic eDp5' })).toBe('token_missing');
  });
});

describe('a client certificate', () => {
  it('is not asked of those who have none, and says nothing by itself', async () => {
    expect(await call(plain, undefined)).toBe('ok');
    expect(await call(plain, holder)).toBe('ok');
    expect(await call('made-up', holder)).toBe('token_malformed');
  });

  it('that nobody vouches for, or that has ended, ends the handshake', async () => {
    const ended = authority.issue(['spiffe://acme.example/robot'], {
      from: new Date(Date.now() - 2 * HOUR_MS),
      until: new Date(Date.now() - HOUR_MS),
    });
    await expect(call(plain, forged)).rejects.toThrow();
    await expect(call(plain, ended)).rejects.toThrow();
  });

  it('is verified with each connection: no session is resumed', async () => {
    const open = (options: ConnectionOptions): Promise<TLSSocket> =>
      new Promise((resolve, reject) => {
        const socket = connectTls(
          { port: Number(new URL(world.gateway.origin).port), host: '127.0.0.1', ...options },
          () => resolve(socket),
        );
        socket.on('error', reject);
      });
    const tls12 = { ...clientOf(holder), maxVersion: 'TLSv1.2' } as const;
    const first = await open(tls12);
    const session = first.getSession();
    first.destroy();
    const second = await open(session === undefined ? tls12 : { ...tls12, session });
    expect(second.isSessionReused()).toBe(false);
    second.destroy();
  });
});
