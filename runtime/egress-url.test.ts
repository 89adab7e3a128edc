// Unit tests of egress-url.ts and egress-address.ts: one table of hosts in every notation we know.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeAddress } from '#runtime/egress-address.ts';
import { type EgressRules, judgeReach, judgeUrl } from '#runtime/egress-url.ts';

const STRICT: EgressRules = { allowPrivate: false, allowedHosts: [] };
const DEMO: EgressRules = { allowPrivate: true, allowedHosts: [] };

const isAccepted = (url: string, rules: EgressRules): boolean => judgeUrl(url, rules).ok;

describe('judgeAddress()', () => {
  it.each([
    ['8.8.8.8', 'public'],
    ['93.184.215.14', 'public'],
    ['2606:4700:4700::1111', 'public'],
    ['2a00:1450:4001::200e', 'public'],
    // Inside the operator's walls.
    ['127.0.0.1', 'internal'],
    ['127.255.255.254', 'internal'],
    ['::1', 'internal'],
    ['10.0.0.1', 'internal'],
    ['172.16.0.1', 'internal'],
    ['172.31.255.255', 'internal'],
    ['192.168.1.1', 'internal'],
    ['100.64.0.1', 'internal'],
    ['fc00::1', 'internal'],
    ['fd12:3456:789a::1', 'internal'],
    // Machine credentials.
    ['169.254.169.254', 'forbidden'],
    ['169.254.170.2', 'forbidden'],
    ['169.254.170.23', 'forbidden'],
    ['fd00:ec2::254', 'forbidden'],
    ['fd00:0ec2:0:0:0:0:0:254', 'forbidden'],
    ['fd00:ec2::23', 'forbidden'],
    ['fd20:ce::254', 'forbidden'],
    ['fd00:42::42', 'forbidden'],
    ['100.100.100.200', 'forbidden'],
    ['192.0.0.192', 'forbidden'],
    ['168.63.129.16', 'forbidden'],
    // Nowhere.
    ['0.0.0.0', 'forbidden'],
    ['0.1.2.3', 'forbidden'],
    ['::', 'forbidden'],
    ['224.0.0.1', 'forbidden'],
    ['255.255.255.255', 'forbidden'],
    ['240.0.0.1', 'forbidden'],
    ['192.0.2.1', 'forbidden'],
    ['198.18.0.1', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['fe80::1%eth0', 'forbidden'],
    ['fec0::1', 'forbidden'],
    ['ff02::1', 'forbidden'],
    ['2001:db8::1', 'forbidden'],
    ['100::1', 'forbidden'],
    ['4000::1', 'forbidden'],
    // An IPv4 address inside an IPv6 one.
    ['::ffff:127.0.0.1', 'forbidden'],
    ['::ffff:8.8.8.8', 'forbidden'],
    ['::127.0.0.1', 'forbidden'],
    ['::ffff:0:127.0.0.1', 'forbidden'],
    ['64:ff9b::a9fe:a9fe', 'forbidden'],
    ['64:ff9b:1::a9fe:a9fe', 'forbidden'],
    ['2002:a9fe:a9fe::', 'forbidden'],
    ['2001:0:a9fe:a9fe::1', 'forbidden'],
    // Notations that are no address until a lenient parser makes them one.
    ['0177.0.0.1', 'forbidden'],
    ['0x7f000001', 'forbidden'],
    ['2130706433', 'forbidden'],
    ['127.1', 'forbidden'],
    ['[::1]', 'forbidden'],
    ['', 'forbidden'],
    ['example.com', 'forbidden'],
  ])('judges %s as %s', (address, kind) => {
    expect(judgeAddress(address)).toBe(kind);
  });

  it('lets no wrapping of a refused IPv4 address through', () => {
    const hex = (a: number, b: number): string => ((a << 8) | b).toString(16);
    fc.assert(
      fc.property(fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)), ([a, b, c, d]) => {
        const [high, low] = [hex(a, b), hex(c, d)];
        for (const text of [`::ffff:${high}:${low}`, `64:ff9b::${high}:${low}`, `2002:${high}:${low}::1`])
          expect(judgeAddress(text)).toBe('forbidden');
      }),
    );
  });
});

describe('judgeUrl()', () => {
  it.each([
    'https://api.example.com/mcp',
    'https://API.example.com/',
    'https://api.example.com:8443/a?b=c',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'https://xn--bcher-kva.example/',
    'https://a_b.example.com/',
  ])('accepts %s anywhere', (url) => {
    expect(isAccepted(url, STRICT)).toBe(true);
    expect(isAccepted(url, DEMO)).toBe(true);
  });

  it.each([
    'http://127.0.0.1:9101/mcp',
    'http://localhost:9000/',
    'http://[::1]:9000/',
    'http://10.1.2.3/',
    'https://192.168.0.10/',
    'http://tracker:8080/mcp',
    'http://tracker.tools.svc/',
    'http://tracker.tools.svc.cluster.local/',
    'http://host.docker.internal:9000/',
    'http://printer.local/',
    'http://app.localhost/',
    'http://api.example.com/',
  ])('accepts %s only where private networks are allowed', (url) => {
    expect(isAccepted(url, STRICT)).toBe(false);
    expect(isAccepted(url, DEMO)).toBe(true);
  });

  it.each([
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://example.com/',
    'data:text/plain,x',
    'unix:/run/x.sock',
    '/relative',
    '',
    'https://user@example.com/',
    'https://user:password@example.com/',
    'https://example.com@127.0.0.1/',
    // Other ways to write 127.0.0.1, and tricks between two parsers.
    'http://0177.0.0.1/',
    'http://0x7f.0.0.1/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://127.1/',
    'http://127.0.0.1./',
    'http://0/',
    'http://%31%32%37.0.0.1/',
    'http://①②⑦.0.0.1/',
    'http://127。0。0。1/',
    'http:127.0.0.1/',
    'http:\\\\127.0.0.1/',
    'http://127.0.0.1\\@example.com/',
    'http://exa\tmple.com/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[::1%25eth0]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[64:ff9b::7f00:1]/',
    'http://0.0.0.0:8080/',
    'http://[::]/',
    'http://localhost./',
    'https://example.com./',
    'https://example.com../',
    'https://a..b/',
    'https://bücher.example/',
    // Machine credentials, whatever is allowed.
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/',
    'http://168.63.129.16/machine',
    'http://100.100.100.200/',
    'http://metadata.google.internal/',
    'http://metadata/',
    'http://instance-data/latest/',
    // Ports of other protocols.
    'https://example.com:22/',
    'https://example.com:25/',
    'https://example.com:0/',
    'https://example.com:1023/',
    `https://example.com/${'a'.repeat(2048)}`,
    `https://${'a'.repeat(64)}.com/`,
  ])('refuses %s even where private networks are allowed', (url) => {
    expect(isAccepted(url, DEMO)).toBe(false);
    expect(isAccepted(url, STRICT)).toBe(false);
  });

  it('keeps to the list of allowed hosts when there is one, by whole labels', () => {
    const rules = { allowPrivate: true, allowedHosts: ['api.example.com', '*.tools.example', '127.0.0.1'] };
    for (const url of ['https://api.example.com/', 'https://a.tools.example/', 'http://127.0.0.1:9000/'])
      expect(isAccepted(url, rules), url).toBe(true);
    for (const url of ['https://xapi.example.com/', 'https://tools.example/', 'https://eviltools.example/'])
      expect(isAccepted(url, rules), url).toBe(false);
    expect(isAccepted('http://127.0.0.2:9000/', rules)).toBe(false);
  });

  it('never repeats the URL in its error', () => {
    const judged = judgeUrl('https://hunter2:hunter2@example.com/', STRICT);
    expect(JSON.stringify(judged)).not.toContain('hunter2');
  });

  it('gives every address it accepts a reach', () => {
    expect(judgeReach('8.8.8.8', STRICT)).toBeUndefined();
    expect(judgeReach('10.0.0.1', DEMO)).toBeUndefined();
    expect(judgeReach('10.0.0.1', STRICT)).toBeDefined();
  });
});
