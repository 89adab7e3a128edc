// Unit tests of endpoint-urls.ts: what it tells adds up to what the snapshot names.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '#core/snapshot.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';
import { createUrlLedger } from '#xds-server/endpoint-urls.ts';

const url = fc.constantFrom('https://a.example/', 'https://b.example/', 'https://c.example/');
const servers = fc.dictionary(
  fc.constantFrom('files', 'mail'),
  fc.dictionary(fc.constantFrom('1', '2'), fc.array(url, { minLength: 1, maxLength: 3 })),
);
const world = fc
  .dictionary(fc.constantFrom('acme', 'beta'), servers)
  .map((each) => snapshotOf(1, ...Object.entries(each).map(([id, of]) => tenantOf(id, of))));

const named = ({ tenants }: Snapshot): readonly string[] =>
  [
    ...new Set(
      tenants.flatMap((tenant) =>
        tenant.servers.flatMap(({ versions }) => versions.flatMap((v) => v.endpoints)),
      ),
    ),
  ].toSorted();

describe('a ledger of endpoint URLs', () => {
  it('tells each URL when it comes and when the last of those who name it is gone', () => {
    fc.assert(
      fc.property(fc.array(world, { maxLength: 6 }), (worlds) => {
        const ledger = createUrlLedger();
        const known = new Set<string>();
        for (const each of worlds) {
          const { added, dropped } = ledger.follow(each);
          for (const one of added) {
            expect(known).not.toContain(one);
            known.add(one);
          }
          for (const one of dropped) expect(known.delete(one)).toBe(true);
          expect([...known].toSorted()).toEqual(named(each));
        }
      }),
    );
  });

  it('does not look at servers that stayed the same', () => {
    const ledger = createUrlLedger();
    const tenant = tenantOf('acme', { files: { '1': ['https://a.example/'] } });
    const [files] = tenant.servers;
    if (files === undefined) throw new Error('there is one');
    let reads = 0;
    const watched = {
      ...files,
      get versions() {
        reads += 1;
        return files.versions;
      },
    };
    const first = { ...tenant, servers: [watched] };
    ledger.follow(snapshotOf(1, first));
    const [mail] = tenantOf('acme', { mail: { '1': ['https://b.example/'] } }).servers;
    if (mail === undefined) throw new Error('there is one');
    const seen = reads;
    expect(ledger.follow(snapshotOf(2, { ...first, servers: [watched, mail] }))).toEqual({
      added: ['https://b.example/'],
      dropped: [],
    });
    expect(reads).toBe(seen);
  });
});
