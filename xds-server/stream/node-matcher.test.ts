// Unit tests of node-matcher.ts.

import { describe, expect, it } from 'vitest';
import { type NodeMatcher, nodeTest } from '#xds-server/stream/node-matcher.ts';

const byId = (match_pattern: string, wanted: string, ignore_case = false): NodeMatcher => ({
  node_id: { match_pattern, [match_pattern]: wanted, ignore_case },
  node_metadatas: [],
});
const NODES = ['edge-1', 'edge-2', 'sidecar-1'];
const meant = (...matchers: NodeMatcher[]) => {
  const test = nodeTest(matchers);
  return test.ok ? NODES.filter(test.value) : test.error;
};

describe('node matchers', () => {
  it.each([
    ['exact', 'edge-1', ['edge-1']],
    ['prefix', 'edge', ['edge-1', 'edge-2']],
    ['suffix', '-1', ['edge-1', 'sidecar-1']],
    ['contains', 'car', ['sidecar-1']],
    ['exact', '', []],
  ])('compare by %s %j', (pattern, wanted, expected) => {
    expect(meant(byId(pattern, wanted))).toEqual(expected);
  });

  it('fold case where asked to', () => {
    expect(meant(byId('exact', 'EDGE-1'))).toEqual([]);
    expect(meant(byId('exact', 'EDGE-1', true))).toEqual(['edge-1']);
  });

  it('mean every node if there are none, or one without conditions', () => {
    expect(meant()).toEqual(NODES);
    expect(meant({ node_id: null, node_metadatas: [] })).toEqual(NODES);
  });

  it('add up', () => {
    expect(meant(byId('exact', 'edge-1'), byId('prefix', 'side'))).toEqual(['edge-1', 'sidecar-1']);
  });

  it('refuse what they cannot decide, rather than mean everybody', () => {
    expect(meant(byId('safe_regex', '.*'))).toContain('exact, prefix, suffix or contains');
    expect(meant({ node_id: null, node_metadatas: [{}] })).toContain('not by node_metadatas');
  });
});
