import { describe, expect, it } from 'vitest';
import { hostNameOf, urlAtHost } from '#core/host-name.ts';
import { cpuTimeOf } from '#test/support/cpu-time.ts';

describe('hostNameOf()', () => {
  it.each([
    ['mcp.acme.example', 'mcp.acme.example'],
    ['MCP.Acme.EXAMPLE', 'mcp.acme.example'],
    ['mcp.acme.example:8443', 'mcp.acme.example'],
    ['mcp.acme.example.', 'mcp.acme.example'],
    ['mcp.acme.example.:443', 'mcp.acme.example'],
    ['mcp.acme.example:', 'mcp.acme.example'],
    ['xn--mcp-bcher-u9a.example', 'xn--mcp-bcher-u9a.example'],
    ['gateway', 'gateway'],
  ])('reads %s', (authority, name) => {
    expect(hostNameOf(authority)).toBe(name);
  });

  it.each([
    '',
    '.',
    ':443',
    'mcp.acme.example..',
    '.acme.example',
    'mcp..acme.example',
    'mcp_acme.example',
    '-mcp.acme.example',
    'mcp.acme.example:https',
    'mcp.acme.example:443:443',
    'user@mcp.acme.example',
    'mcp.acme.example/x',
    'mcp.acme.example,other.example',
    'mcp.acme.example ',
    'mcp.acme.ex%61mple',
    'bücher.example',
    'mcp.acme。example',
    '127.0.0.1',
    '2130706433',
    '[::1]',
    '0x7f.1',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}example`,
  ])('takes %j for no host name', (authority) => {
    expect(hostNameOf(authority)).toBeUndefined();
  });

  it('takes no longer for hostile text than for a name', () => {
    const timeMs = cpuTimeOf(() => {
      hostNameOf(`${'a-'.repeat(30_000)}!`);
      hostNameOf(`${'a.'.repeat(120)}-`);
    });
    expect(timeMs).toBeLessThan(1_000);
  });
});

describe('urlAtHost()', () => {
  it.each([
    ['https://gw.example', 'https://mcp.acme.example'],
    ['https://gw.example/', 'https://mcp.acme.example'],
    ['http://127.0.0.1:8080', 'http://mcp.acme.example:8080'],
    ['https://gw.example/edge', 'https://mcp.acme.example/edge'],
  ])('of %s', (publicUrl, url) => {
    expect(urlAtHost(publicUrl, 'mcp.acme.example')).toBe(url);
  });
});
