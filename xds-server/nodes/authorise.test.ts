// Unit tests of claim.ts, nodes-table.ts and authorise.ts: who may be which node, and what it sees then.

import { describe, expect, it } from 'vitest';
import { authoriseNode, mayConcern } from '#xds-server/nodes/authorise.ts';
import { type ProtoValue, readClaim } from '#xds-server/nodes/claim.ts';
import { NO_TABLE, type NodesTable, parseNodesTable } from '#xds-server/nodes/nodes-table.ts';
import { concernOf } from '#xds-server/nodes/view.ts';

type Said = {
  readonly group?: string;
  readonly servers?: readonly string[];
  readonly region?: string;
  readonly clusters?: string;
};

const text = (stringValue: string): ProtoValue => ({ stringValue });

const claimOf = (said: Said | undefined, id = 'n1') => {
  if (said === undefined) return readClaim({ id, metadata: null });
  const { group, servers, region, clusters } = said;
  const fields = {
    ...(group === undefined ? {} : { group: text(group) }),
    ...(servers === undefined ? {} : { servers: { listValue: { values: servers.map(text) } } }),
    ...(region === undefined ? {} : { region: text(region) }),
    ...(clusters === undefined ? {} : { clusters: text(clusters) }),
  };
  return readClaim({ id, metadata: { fields: { mcpgw: { structValue: { fields } } } } });
};

const table = (document: object): NodesTable => {
  const parsed = parseNodesTable(JSON.stringify(document));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

const TABLE = table({
  regions: { eu: ['acme/*', 'beta/reports'], us: ['beta/*'] },
  nodes: [
    { san: 'spiffe://x/edge/all', group: 'edge' },
    { san: 'spiffe://x/edge/eu', group: 'edge', regions: ['eu'], id: 'eu-*' },
    { san: 'spiffe://x/edge/acme', group: 'edge', servers: ['acme/*'] },
    { san: 'spiffe://x/sidecar/tracker', group: 'sidecar', servers: ['acme/tracker'] },
    { san: 'spiffe://x/team/acme', group: 'sidecar', servers: ['acme/*'] },
  ],
});

const outcome = (said: Said | undefined, san: string | undefined, id?: string) => {
  const claim = claimOf(said, id);
  if (!claim.ok) return claim.error;
  const peer = san === undefined ? 'local' : { uri: [`spiffe://x/${san}`], dns: [], ip: [] };
  const admitted = authoriseNode(claim.value, peer, TABLE);
  return admitted.ok ? admitted.value.view.key : admitted.error;
};

describe('a node with a certificate', () => {
  it.each([
    ['an edge', { group: 'edge' }, 'edge/all', ''],
    ['one that says nothing', undefined, 'edge/all', ''],
    ['an edge of some tenants', { group: 'edge' }, 'edge/acme', 'acme/*'],
    [
      'an edge that gets clusters on demand',
      { group: 'edge', clusters: 'on-demand' },
      'edge/all',
      'on demand: ',
    ],
    ['an edge of a region it may choose', { group: 'edge', region: 'us' }, 'edge/all', 'beta/*'],
    ['an edge of both', { group: 'edge', region: 'eu' }, 'edge/acme', 'acme/* & acme/* beta/reports'],
    [
      'a sidecar',
      { group: 'sidecar', servers: ['acme/tracker'] },
      'sidecar/tracker',
      'acme/tracker & acme/tracker',
    ],
    ['a sidecar of less', { group: 'sidecar', servers: ['acme/wiki'] }, 'team/acme', 'acme/* & acme/wiki'],
  ])('is served as %s', (_, said, san, key) => {
    expect(outcome(said, san)).toBe(key);
  });

  it.each([
    ['has no place in the table', { group: 'edge' }, 'stranger', 'no node has a name of this certificate'],
    ['is a sidecar and says edge', { group: 'edge' }, 'sidecar/tracker', 'may not be an edge'],
    ['is a sidecar and says nothing', undefined, 'sidecar/tracker', 'may not be an edge'],
    [
      'is an edge and says sidecar',
      { group: 'sidecar', servers: ['acme/tracker'] },
      'edge/all',
      'may not be a sidecar',
    ],
    [
      'wants another server',
      { group: 'sidecar', servers: ['acme/wiki'] },
      'sidecar/tracker',
      'stand before acme/wiki',
    ],
    ['wants all servers', { group: 'sidecar', servers: ['*'] }, 'team/acme', 'stand before *'],
    [
      'wants a server of another tenant',
      { group: 'sidecar', servers: ['acme/a', 'beta/b'] },
      'team/acme',
      'before beta/b',
    ],
    [
      'wants clusters in a way there is not',
      { group: 'edge', clusters: 'none' },
      'edge/all',
      'clusters come',
    ],
    ['leaves out its region', { group: 'edge' }, 'edge/eu', 'must name its region'],
    ['says another region', { group: 'edge', region: 'us' }, 'edge/eu', 'may not be in region us'],
    ['says a region there is not', { group: 'edge', region: 'mars' }, 'edge/all', 'no region mars'],
  ])('is refused if it %s', (_, said, san, why) => {
    expect(outcome(said, san, 'eu-1')).toContain(why);
  });

  it('has one of the ids it may have', () => {
    expect(outcome({ group: 'edge', region: 'eu' }, 'edge/eu', 'eu-7')).toBe('acme/* beta/reports');
    expect(outcome({ group: 'edge', region: 'eu' }, 'edge/eu', 'us-7')).toContain('the id us-7');
  });

  it('can report of what it may see, whatever it says it is', () => {
    const of = (san: string, serverId: string) =>
      mayConcern({ uri: [`spiffe://x/${san}`], dns: [], ip: [] }, TABLE, { tenantId: 'acme', serverId });
    expect([of('sidecar/tracker', 'tracker'), of('sidecar/tracker', 'wiki')]).toEqual([true, false]);
    expect([of('edge/all', 'wiki'), of('stranger', 'wiki')]).toEqual([true, false]);
  });
});

describe('a node on a Unix socket', () => {
  it.each([
    [undefined, ''],
    [{ group: 'sidecar', servers: ['acme/tracker'] }, 'acme/tracker'],
    [{ group: 'edge', region: 'us' }, 'beta/*'],
  ])('is what it says: %j', (said, key) => {
    expect(outcome(said, undefined)).toBe(key);
  });

  it('is refused for a region nobody knows, rather than given everything', () => {
    const claim = claimOf({ group: 'edge', region: 'eu' });
    if (!claim.ok) throw new Error(claim.error);
    expect(authoriseNode(claim.value, 'local', NO_TABLE)).toMatchObject({ error: 'there is no region eu' });
  });

  it.each([
    [{ group: 'sidecar' }, 'names the servers'],
    [{ group: 'edge', servers: ['acme/tracker'] }, 'names no servers'],
    [{ group: 'sidecar', servers: ['acme'] }, 'expected tenant/server'],
    [{ group: 'king' }, 'edge or sidecar'],
    [{}, 'edge or sidecar'],
  ])('is refused if what it says makes no sense: %j', (said, why) => {
    expect(outcome(said, undefined)).toContain(why);
  });
});

describe('the table of nodes', () => {
  it.each([
    ['{', 'not JSON'],
    [{ nodes: [{ san: 'spiffe://x/a', group: 'edge', region: ['eu'] }] }, '/nodes/0'],
    [{ nodes: [{ san: 'spiffe://x/*/a', group: 'edge' }] }, '/nodes/0/san'],
    [{ nodes: [{ san: 'spiffe://x/a', group: 'sidecar' }] }, '/nodes/0/a sidecar needs servers'],
    [{ nodes: [{ san: 'spiffe://x/a', group: 'edge', servers: ['acme'] }] }, '/nodes/0/servers'],
    [{ nodes: [{ san: 'spiffe://x/a', group: 'edge', regions: ['eu'] }] }, 'no region eu'],
    [{ regions: { eu: ['Acme/*'] }, nodes: [] }, '/regions/eu'],
    [{ regions: {} }, 'nodes'],
  ])('is refused where it is not understood: %j', (document, why) => {
    const parsed = parseNodesTable(typeof document === 'string' ? document : JSON.stringify(document));
    expect(parsed).toMatchObject({ ok: false, error: expect.stringContaining(why) });
  });
});

describe('what a view means of a tenant', () => {
  const concern = (said: Said, san: string | undefined, tenantId: string, serverId = 'tracker') => {
    const claim = claimOf(said);
    if (!claim.ok) throw new Error(claim.error);
    const peer = san === undefined ? 'local' : { uri: [`spiffe://x/${san}`], dns: [], ip: [] };
    const admitted = authoriseNode(claim.value, peer, TABLE);
    if (!admitted.ok) throw new Error(admitted.error);
    const found = concernOf(admitted.value.view, tenantId);
    return typeof found === 'string' ? found : found(serverId);
  };

  it('is what all of its lists mean', () => {
    expect(concern({ group: 'edge' }, 'edge/all', 'acme')).toBe('all');
    expect(concern({ group: 'edge', region: 'eu' }, 'edge/acme', 'acme')).toBe('all');
    expect(concern({ group: 'edge', region: 'eu' }, 'edge/acme', 'beta')).toBe('none');
    expect(concern({ group: 'edge', region: 'eu' }, 'edge/all', 'beta', 'reports')).toBe(true);
    expect(concern({ group: 'edge', region: 'eu' }, 'edge/all', 'beta', 'other')).toBe(false);
    expect(concern({ group: 'sidecar', servers: ['acme/tracker'] }, undefined, 'acme')).toBe(true);
    expect(concern({ group: 'sidecar', servers: ['acme/tracker'] }, undefined, 'acme', 'wiki')).toBe(false);
  });
});
