// Unit tests of san-pattern.ts and certificate-names.ts.

import { describe, expect, it } from 'vitest';
import { readCertificateNames } from '#core/certificate-names.ts';
import { findSan, parseSanPattern } from '#core/san-pattern.ts';

const matches = (pattern: string, subjectAltName: string): boolean => {
  const parsed = parseSanPattern(pattern);
  const names = readCertificateNames(subjectAltName);
  if (!parsed.ok || names === undefined) throw new Error('the test is wrong');
  return findSan([parsed.value], names) !== undefined;
};

describe('a pattern of names', () => {
  it.each([
    ['spiffe://example.com/edge', 'URI:spiffe://example.com/edge'],
    ['spiffe://example.com/sidecar/*', 'DNS:x, URI:spiffe://example.com/sidecar/acme'],
    ['xds.example.com', 'DNS:XDS.example.com'],
    ['*.example.com', 'DNS:a.example.com'],
    ['10.0.0.7', 'IP Address:10.0.0.7'],
    ['fd00:0:0:0:0:0:0:7', 'IP Address:FD00:0:0:0:0:0:0:7'],
  ])('%s means %s', (pattern, names) => {
    expect(matches(pattern, names)).toBe(true);
  });

  it.each([
    ['spiffe://example.com/edge', 'URI:spiffe://example.com/edge/2'],
    ['spiffe://example.com/edge', 'DNS:spiffe'],
    ['spiffe://example.com/sidecar/*', 'URI:spiffe://example.com/sidecar/'],
    ['spiffe://example.com/sidecar/*', 'URI:spiffe://example.com/sidecar/a/b'],
    ['spiffe://example.com/sidecar/*', 'URI:spiffe://example.com/sidecars'],
    ['xds.example.com', 'URI:https://xds.example.com'],
    ['xds.example.com', 'DNS:*.example.com'],
    ['*.example.com', 'DNS:*.example.com'],
    ['*.example.com', 'DNS:a.b.example.com'],
    ['*.example.com', 'DNS:example.com'],
    ['10.0.0.7', 'DNS:10.0.0.7'],
    ['edge.example.com', 'URI:"spiffe://x, DNS:edge.example.com"'],
  ])('%s does not mean %s', (pattern, names) => {
    expect(matches(pattern, names)).toBe(false);
  });

  it.each([
    '',
    '*',
    'a.*.example.com',
    '*example.com',
    'spiffe://*/edge',
    'spiffe://example.com/*/x',
    'spiffe://example.com/a*',
    'a b',
  ])('cannot be %j', (pattern) => {
    expect(parseSanPattern(pattern).ok).toBe(false);
  });
});

describe('names of a certificate', () => {
  it('are not guessed from a text that is not understood', () => {
    expect(readCertificateNames('DNS:a"b, DNS:c')).toBeUndefined();
    expect(readCertificateNames('')).toEqual({ uri: [], dns: [], ip: [] });
  });
});
