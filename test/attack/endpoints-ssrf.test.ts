// Addresses that lead into our own network, in every notation we know, brought in by every door that takes a URL (25,
// 27, 28). Each is refused by the field that holds it, and nothing of it is kept.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TENANT_AUDIENCE, TENANT_ISSUER } from '#test/integration/registry-harness.ts';
import {
  type ManifestBench,
  type Refused,
  refusalOf,
  startManifestBench,
} from '#test/support/manifest-bench.ts';
import { manifest2 } from '#test/support/manifest-world.ts';

/** Refused wherever the gateway runs, also where private networks are allowed. */
const NEVER: readonly (readonly [string, string])[] = [
  ['the metadata service', '169.254.169.254'],
  ['the metadata service by another port', '169.254.169.254:8080'],
  ['the metadata service of a container', '169.254.170.2'],
  ['the metadata service in one number', '2852039166'],
  ['the metadata service in hexadecimal', '0xa9fea9fe'],
  ['the metadata service in hexadecimal parts', '0xa9.0xfe.0xa9.0xfe'],
  ['the metadata service in octal parts', '0251.0376.0251.0376'],
  ['the metadata service in three parts', '169.254.43518'],
  ['the metadata service in two parts', '169.16689662'],
  ['the metadata service with leading zeros', '0169.0254.0169.0254'],
  ['the metadata service in full-width digits', '１６９.２５４.１６９.２５４'],
  ['the metadata service with ideographic full stops', '169。254。169。254'],
  ['the metadata service in circled digits', '①⑥⑨.②⑤④.①⑥⑨.②⑤④'],
  ['the metadata service percent-encoded', '%31%36%39.254.169.254'],
  ['the metadata service with an encoded dot', '169%2E254%2E169%2E254'],
  ['the metadata service with a trailing dot', '169.254.169.254.'],
  ['the metadata service mapped into IPv6', '[::ffff:169.254.169.254]'],
  ['the metadata service mapped, in hexadecimal', '[::ffff:a9fe:a9fe]'],
  ['the metadata service mapped, in capitals', '[::FFFF:A9FE:A9FE]'],
  ['the metadata service as an IPv4-compatible address', '[::169.254.169.254]'],
  ['the metadata service translated (SIIT)', '[::ffff:0:a9fe:a9fe]'],
  ['the metadata service by NAT64', '[64:ff9b::a9fe:a9fe]'],
  ['the metadata service by a local NAT64', '[64:ff9b:1::a9fe:a9fe]'],
  ['the metadata service by 6to4', '[2002:a9fe:a9fe::1]'],
  ['the metadata service by Teredo', '[2001:0:a9fe:a9fe::1]'],
  ['the metadata service of AWS over IPv6', '[fd00:ec2::254]'],
  ['the same, written out', '[fd00:0ec2:0000:0000:0000:0000:0000:0254]'],
  ['the metadata service of Google over IPv6', '[fd20:ce::254]'],
  ['the metadata service of Alibaba', '100.100.100.200'],
  ['the metadata service of Oracle', '192.0.0.192'],
  ['the host agent of Azure', '168.63.129.16'],
  ['the metadata service by its name', 'metadata.google.internal'],
  ['the metadata service by its name in capitals', 'METADATA.google.INTERNAL'],
  ['the metadata service by its name with a trailing dot', 'metadata.google.internal.'],
  ['the metadata service by its short name', 'metadata'],
  ['loopback in octal', '0177.0.0.1'],
  ['loopback in hexadecimal', '0x7f000001'],
  ['loopback in one number', '2130706433'],
  ['loopback in two parts', '127.1'],
  ['loopback as zero', '0'],
  ['loopback in full-width digits', '１２７.０.０.１'],
  ['loopback percent-encoded', '127.0.0.%31'],
  ['loopback mapped into IPv6', '[::ffff:127.0.0.1]'],
  ['loopback as an IPv4-compatible address', '[::127.0.0.1]'],
  ['loopback of IPv6 written out', '[0:0:0:0:0:0:0:1]'],
  ['a zone', '[fe80::1%25eth0]'],
  ['a link-local address', '[fe80::1]'],
  ['localhost with a trailing dot', 'localhost.'],
  ['localhost in full-width letters', 'ｌｏｃａｌｈｏｓｔ'],
  ['localhost with a soft hyphen', 'local\u00adhost'],
  ['the unspecified address', '0.0.0.0'],
  ['the unspecified address of IPv6', '[::]'],
  ['a broadcast address', '255.255.255.255'],
  ['a multicast address', '[ff02::1]'],
  ['an allowed host as user', 'tracker.example.com@169.254.169.254'],
  ['an allowed host as user and password', 'tracker.example.com:443@127.0.0.1'],
  ['a backslash before the host', '169.254.169.254\\@tracker.example.com'],
  ['a tab in the host', '169.254.169\t.254'],
  ['the port of another protocol', 'tracker.example.com:22'],
  ['an IDN in its Unicode form', 'trаcker.example.com'],
];

/** Refused unless the operator allows private networks. */
const INSIDE: readonly (readonly [string, string])[] = [
  ['loopback', '127.0.0.1'],
  ['another address of loopback', '127.255.255.254'],
  ['loopback of IPv6', '[::1]'],
  ['localhost', 'localhost'],
  ['localhost in capitals', 'LOCALHOST'],
  ['a name below localhost', 'app.localhost'],
  ['the host of a container', 'host.docker.internal'],
  ['a private address (10/8)', '10.0.0.1'],
  ['a private address (172.16/12)', '172.31.255.255'],
  ['a private address (192.168/16)', '192.168.0.1'],
  ['a shared address (100.64/10)', '100.64.0.1'],
  ['a unique local address', '[fd12:3456:789a::1]'],
  ['a service of the cluster', 'tracker.tools.svc.cluster.local'],
  ['a name without a dot', 'tracker'],
  ['a name of a home network', 'printer.local'],
];

type Door = {
  /** Code of the problem, and the field it names. */
  readonly code: 'invalid-resource' | 'manifest-endpoint-not-allowed';
  readonly at: string;
  readonly open: (bench: ManifestBench, url: string) => Promise<Refused>;
};

const issuer = (changes: object) => ({
  kind: 'oidc',
  issuer: 'https://partner.example.com',
  jwksUri: 'https://partner.example.com/keys',
  relation: 'partner',
  ...changes,
});

const versionOf = (url: string) => {
  const { server: _server, owner: _owner, schemaVersion: _schema, ...version } = manifest2();
  return { ...version, endpoints: [url] };
};

const DOORS: readonly (readonly [string, Door])[] = [
  [
    'a version an admin publishes',
    {
      code: 'invalid-resource',
      at: '/endpoints/0',
      open: (bench, url) => bench.admin('PUT', '/servers/tracker/versions/1.0.0', versionOf(url)),
    },
  ],
  [
    'a signed manifest',
    {
      code: 'manifest-endpoint-not-allowed',
      at: '/endpoints/0',
      open: (bench, url) => bench.publish(manifest2({ version: '2.0.0', endpoints: [url] })),
    },
  ],
  [
    'the key set of an issuer',
    {
      code: 'invalid-resource',
      at: '/jwksUri',
      open: (bench, url) => bench.admin('PUT', '/issuers/partner', issuer({ jwksUri: url })),
    },
  ],
  [
    'the token endpoint of an issuer',
    {
      code: 'invalid-resource',
      at: '/tokenEndpoint',
      open: (bench, url) => {
        const settings = issuer({ issuer: 'https://other.example.com', tokenEndpoint: url });
        return bench.admin('PUT', '/issuers/other', settings);
      },
    },
  ],
  [
    'the key set of an admin issuer',
    {
      code: 'invalid-resource',
      at: '/jwksUri',
      open: (bench, url) =>
        bench.admin('PUT', '/admin-issuer', {
          issuer: TENANT_ISSUER,
          jwksUri: url,
          audience: TENANT_AUDIENCE,
        }),
    },
  ],
];

/** What the admin of a server would have to allow for these hosts; the rules of the deployment count all the same. */
const hostsOf = (authorities: readonly string[]): readonly string[] => [
  'tracker.example.com',
  ...new Set(
    authorities
      .map((authority) => URL.parse(`https://${authority}/`)?.host ?? '')
      .filter((host) => host !== '' && URL.parse(`https://${host}/`)?.host === host),
  ),
];

const publicDeployment = { allowPrivate: false, cases: [...NEVER, ...INSIDE], scheme: 'https' };
const privateDeployment = { allowPrivate: true, cases: NEVER, scheme: 'http' };

describe.each([
  ['where only the internet is reachable', publicDeployment],
  ['where private networks are allowed', privateDeployment],
])('%s', (_where, { allowPrivate, cases, scheme }) => {
  let bench: ManifestBench;
  let before: Awaited<ReturnType<ManifestBench['trace']>>;

  beforeAll(async () => {
    bench = await startManifestBench({ allowPrivate });
    const hosts = hostsOf(cases.map(([, authority]) => authority));
    // A server allows 64 hosts at most.
    await bench.enter('acme', hosts.slice(0, 64));
    before = await bench.trace();
  });
  afterAll(() => bench.registry.stop());

  describe.each(DOORS)('%s', (_door, { code, at, open }) => {
    it.each(cases)('is refused with %s: %s', async (_name, authority) => {
      const answer = await open(bench, `${scheme}://${authority}/mcp`);
      expect(refusalOf(answer)).toEqual({ status: 422, code, pointers: [at] });
      expect((await bench.admin('GET', '')).body.revision).toBe(before.revision);
    });
  });

  it('nothing of all that is kept', async () => {
    expect(await bench.trace()).toEqual(before);
    for (const path of ['/issuers/partner', '/issuers/other', '/admin-issuer'])
      expect((await bench.admin('GET', path)).status, path).toBe(404);
  });

  it('a good address passes by every door', async () => {
    for (const [name, { open }] of DOORS)
      expect((await open(bench, 'https://tracker.example.com/mcp')).status, name).toBe(201);
  });
});
