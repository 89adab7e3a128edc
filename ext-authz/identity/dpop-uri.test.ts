// Unit tests of dpop-uri.ts.
import { describe, expect, it } from 'vitest';
import { normaliseHttpUri } from '#ext-authz/identity/dpop-uri.ts';

describe('normaliseHttpUri()', () => {
  it.each([
    ['https://gw.example/mcp/a', 'https://gw.example/mcp/a'],
    ['HTTPS://GW.Example:443/mcp/a?x=1#y', 'https://gw.example/mcp/a'],
    ['http://gw.example:80/', 'http://gw.example/'],
    ['http://gw.example', 'http://gw.example/'],
    ['https://gw.example:8443/a', 'https://gw.example:8443/a'],
    ['https://gw.example/%7euser/%2f', 'https://gw.example/~user/%2F'],
    ['https://gw.example/a/%2e%2e/b/./c', 'https://gw.example/b/c'],
    ['http://[::1]:8080/a', 'http://[::1]:8080/a'],
  ])('writes %s as %s', (text, normal) => {
    expect(normaliseHttpUri(text)).toBe(normal);
  });

  it('keeps apart what is not the same resource', () => {
    const addresses = ['/a', '/a/', '/A', '/a%2Fb', '/a/b', '//a'].map((path) => `https://gw.example${path}`);
    expect(new Set(addresses.map(normaliseHttpUri)).size).toBe(addresses.length);
  });

  it.each([
    [''],
    ['/mcp/a'],
    ['gw.example/a'],
    ['ftp://gw.example/a'],
    ['https:gw.example'],
    ['https://'],
    [' https://gw.example/a'],
    ['https://gw.example/a b'],
    ['https://gw.example/a\tb'],
    ['https://gw.example\\a'],
    ['https://user@gw.example/a'],
    ['https://gw.exämple/a'],
    ['https://gw.example:99999/a'],
  ])('knows no address in %j', (text) => {
    expect(normaliseHttpUri(text)).toBeUndefined();
  });
});
