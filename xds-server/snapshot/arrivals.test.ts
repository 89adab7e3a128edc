// Unit tests of arrivals.ts.

import { describe, expect, it } from 'vitest';
import { forEachKind } from '#xds-server/resource-kind.ts';
import { arrivalsAfter, findArrival, NO_ARRIVALS } from '#xds-server/snapshot/arrivals.ts';
import type { Resource, ResourceSnapshot } from '#xds-server/snapshot/resource.ts';

const publication = (sequence: number, versions: Readonly<Record<string, string>>): ResourceSnapshot => {
  const routes = Object.entries(versions).map(
    ([name, version]) => [name, { name, version } as Resource] as const,
  );
  return { sequence, kinds: { ...forEachKind(() => new Map()), route: new Map(routes) } };
};

const first = arrivalsAfter(NO_ARRIVALS, publication(4, { 'tenant/acme': 'a', 'tenant/beta': 'b' }));
const second = arrivalsAfter(first, publication(7, { 'tenant/acme': 'c', 'tenant/beta': 'b' }));

describe('findArrival()', () => {
  it('names the commits among which a content came to be wanted', () => {
    expect(findArrival(second, 'route', { name: 'tenant/acme', version: 'c' })).toEqual({
      after: 4,
      upTo: 7,
    });
  });

  it('does not know since when the first publication has been wanted', () => {
    expect(findArrival(second, 'route', { name: 'tenant/beta', version: 'b' })).toEqual({ upTo: 4 });
  });

  it('belongs to no commit if only addresses moved', () => {
    const moved = arrivalsAfter(second, publication(7, { 'tenant/acme': 'd' }));
    expect(findArrival(moved, 'route', { name: 'tenant/acme', version: 'd' })).toEqual({ after: 7, upTo: 7 });
  });

  it('knows nothing of what is no longer wanted', () => {
    expect(findArrival(second, 'route', { name: 'tenant/acme', version: 'a' })).toBeUndefined();
    expect(findArrival(second, 'cluster', { name: 'tenant/acme', version: 'c' })).toBeUndefined();
  });
});
