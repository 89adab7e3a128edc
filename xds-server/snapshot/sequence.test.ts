// Unit tests of sequence.ts.

import { describe, expect, it } from 'vitest';
import { RESOURCE_KINDS } from '#xds-server/resource-kind.ts';
import { ADDITIONS, REMOVALS } from '#xds-server/snapshot/sequence.ts';

describe('the sequence', () => {
  it('knows every kind, in both directions', () => {
    expect(ADDITIONS.toSorted()).toEqual(RESOURCE_KINDS.toSorted());
    expect(REMOVALS.toSorted()).toEqual(RESOURCE_KINDS.toSorted());
  });

  it('takes routes away before the clusters they lead to', () => {
    expect(REMOVALS.indexOf('route')).toBeLessThan(REMOVALS.indexOf('cluster'));
  });
});
