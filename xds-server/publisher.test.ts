// Unit tests of publisher.ts.

import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';
import { createPublisher } from '#xds-server/publisher.ts';
import { forEachKind } from '#xds-server/resource-kind.ts';

const URL_A = 'https://a.example/';
const tenant = tenantOf('acme', { files: { '1': [URL_A] } });

const setUp = () => {
  const resolutions: (() => void)[] = [];
  const wanted: string[][] = [];
  const published: number[] = [];
  const publisher = createPublisher({
    build: ({ sequence }) => ({
      snapshot: { sequence, kinds: forEachKind(() => new Map()) },
      faults: sequence === 3 ? [{ tenantId: 'acme', message: 'x' }] : [],
    }),
    addresses: () => ({
      want: ({ added }) => {
        wanted.push([...added]);
        return new Promise((resolve) => resolutions.push(resolve));
      },
      find: () => undefined,
      stop: () => undefined,
    }),
    publish: ({ sequence }) => published.push(sequence),
    logger: createLogger('test', 'silent'),
    metrics: createMetrics('test'),
  });
  const settle = async (): Promise<void> => {
    for (const resolve of resolutions.splice(0)) resolve();
    await turn();
    await turn();
  };
  return { publisher, wanted, published, settle };
};

describe('a publisher', () => {
  it('waits for the addresses of a snapshot before it is told', async () => {
    const { publisher, wanted, published, settle } = setUp();
    publisher.update(snapshotOf(1, tenant));
    await turn();
    expect([wanted, published]).toEqual([[[URL_A]], []]);
    await settle();
    expect(published).toEqual([1]);
    expect(publisher.publishedSequence()).toBe(1);
  });

  it('tells only the newest of snapshots that come together', async () => {
    const { publisher, published, settle } = setUp();
    publisher.update(snapshotOf(1, tenant));
    publisher.update(snapshotOf(2, tenant));
    await settle();
    expect(published).toEqual([2]);
  });

  it('is not held up by changes that keep coming with names that do not resolve', async () => {
    const { publisher, published } = setUp();
    for (const sequence of [1, 2, 3]) {
      publisher.update(snapshotOf(sequence, tenant));
      await sleep(250);
    }
    expect(published).toHaveLength(1);
  });

  it('tells anew when addresses change, and nothing before there is a snapshot', async () => {
    const { publisher, published, settle } = setUp();
    publisher.refresh();
    await settle();
    expect(published).toEqual([]);
    publisher.update(snapshotOf(1));
    await settle();
    publisher.refresh();
    publisher.refresh();
    await settle();
    expect(published).toEqual([1, 1]);
  });

  it('says which tenants are not served as wanted', async () => {
    const { publisher, settle } = setUp();
    publisher.update(snapshotOf(3, tenant));
    await settle();
    expect(publisher.faults()).toEqual([{ tenantId: 'acme', message: 'x' }]);
  });
});
