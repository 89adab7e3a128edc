import { describe, expect, it } from 'vitest';
import { NO_DRIFT, withDrift } from '#core/drift-book.ts';
import type { JsonObject } from '#core/json.ts';
import type { Tool } from '#core/server.ts';
import { MAX_DRIFT_CHANGES, MAX_DRIFT_TEXT } from '#core/tool-drift.ts';
import { judgeTool } from '#ext-proc/pins/judge-tool.ts';
import { createSightings, RETELL_MS, SETTLE_MS, type Sightings } from '#ext-proc/pins/sightings.ts';

const PLACE = { tenantId: 'acme', serverId: 'tracker', version: '1.0.0', replica: '10.0.0.1:80' };
const OTHER = { ...PLACE, replica: '10.0.0.2:80' };
const toolOf = (name: string): Tool => ({
  name,
  description: 'as approved',
  inputSchema: { type: 'object' },
  requiredScopes: [],
  tags: [],
  idempotent: false,
});
const PAY = toolOf('pay');

const served = (change: JsonObject = {}, tool = PAY) =>
  judgeTool(
    { name: tool.name, description: 'as approved', inputSchema: tool.inputSchema, ...change },
    tool,
    'hide',
  ).compared;

const APPROVED = served();
const POISONED = served({ description: 'poisoned' });
const OPEN = withDrift(NO_DRIFT, {
  tenantId: 'acme',
  serverId: 'tracker',
  tools: [{ version: '1.0.0', tool: 'pay', since: '2026-01-01T00:00:00Z' }],
});

const start = (maxRemembered?: number) => {
  const held = { drift: NO_DRIFT };
  const options = maxRemembered === undefined ? {} : { maxRemembered };
  return { held, sightings: createSightings({ known: () => held.drift, ...options }) };
};

/** What is told of one list that holds this; `kept` at once by the registry. */
const tell = (sightings: Sightings, compared: typeof APPROVED, nowMs: number, place = PLACE) => {
  const news = sightings.take(place, [compared], nowMs);
  sightings.kept(news.map(({ sighting }) => sighting));
  return news;
};

describe('sightings', () => {
  it('tell nothing of tools that are as approved', () => {
    const { sightings } = start();
    expect(tell(sightings, APPROVED, 0)).toEqual([]);
    expect(sightings.drifting()).toBe(0);
  });

  it('tell what began to differ once, with its digest and the difference', () => {
    const { sightings, held } = start();
    expect(tell(sightings, POISONED, 0)).toEqual([
      {
        isChange: true,
        sighting: {
          ...PLACE,
          tool: 'pay',
          digest: expect.stringMatching(/^[0-9a-f]{64}$/),
          changes: [{ change: 'changed', pointer: '/description', before: 'as approved', after: 'poisoned' }],
          at: '1970-01-01T00:00:00.000Z',
        },
      },
    ]);
    held.drift = OPEN;
    expect(tell(sightings, POISONED, SETTLE_MS)).toEqual([]);
    expect(sightings.drifting()).toBe(1);
  });

  it('tell what goes on again after a while, and at once what the registry was told otherwise', () => {
    const { sightings, held } = start();
    tell(sightings, POISONED, 0);
    held.drift = OPEN;
    expect(tell(sightings, POISONED, RETELL_MS - 1)).toEqual([]);
    expect(tell(sightings, POISONED, RETELL_MS)).toMatchObject([{ isChange: false }]);
    held.drift = NO_DRIFT;
    expect(tell(sightings, POISONED, RETELL_MS + SETTLE_MS)).toMatchObject([{ isChange: false }]);
  });

  it('wait for the registry to have what it was told', () => {
    const { sightings } = start();
    sightings.take(PLACE, [POISONED], 0);
    expect(sightings.take(PLACE, [POISONED], SETTLE_MS)).toEqual([]);
  });

  it('tell another difference, but of a replica that changes its mind with each list only now and then', () => {
    const { sightings, held } = start();
    held.drift = OPEN;
    const told = Array.from({ length: 100 }, (_, at) =>
      tell(sightings, served({ description: `poison ${at}` }), at * 1_000),
    ).flat();
    expect(told.length).toBe(10);
    expect(new Set(told.map(({ sighting }) => sighting.digest)).size).toBe(10);
  });

  it('tell the all-clear once a replica has been itself for a while', () => {
    const { sightings, held } = start();
    tell(sightings, POISONED, 0);
    held.drift = OPEN;
    expect(tell(sightings, APPROVED, SETTLE_MS - 1)).toEqual([]);
    tell(sightings, POISONED, SETTLE_MS);
    expect(tell(sightings, APPROVED, SETTLE_MS + 1)).toEqual([]);
    const [clear] = tell(sightings, APPROVED, 2 * SETTLE_MS);
    expect(clear).toMatchObject({ isChange: true, sighting: { tool: 'pay', changes: [] } });
    expect(clear?.sighting.digest).toBeUndefined();
    held.drift = NO_DRIFT;
    expect(tell(sightings, APPROVED, 3 * SETTLE_MS)).toEqual([]);
    expect(sightings.drifting()).toBe(0);
    expect(tell(sightings, POISONED, 3 * SETTLE_MS)).toHaveLength(1);
  });

  it('tell of a replica that is as approved while the registry holds the tool to drift', () => {
    const { sightings, held } = start();
    held.drift = OPEN;
    expect(tell(sightings, APPROVED, 0, OTHER)).toMatchObject([
      { isChange: false, sighting: { replica: OTHER.replica, changes: [] } },
    ]);
    expect(tell(sightings, APPROVED, SETTLE_MS, OTHER)).toEqual([]);
    expect(tell(sightings, APPROVED, RETELL_MS, OTHER)).toHaveLength(1);
  });

  it('tell replicas that differ apart by their digests', () => {
    const { sightings } = start();
    const [one] = tell(sightings, POISONED, 0);
    const [two] = tell(sightings, served({ description: 'poisoned otherwise' }), 0, OTHER);
    const [three] = tell(sightings, POISONED, 0, { ...PLACE, replica: '10.0.0.3:80' });
    expect(one?.sighting.digest).not.toBe(two?.sighting.digest);
    expect(one?.sighting.digest).toBe(three?.sighting.digest);
  });

  it('that were lost are told anew', () => {
    const { sightings } = start();
    const [lost] = sightings.take(PLACE, [POISONED], 0);
    if (lost !== undefined) sightings.lost([lost.sighting]);
    expect(sightings.take(PLACE, [POISONED], 1)).toHaveLength(1);
  });

  it('forget versions that are gone, and whole replicas where there is no room', () => {
    const { sightings } = start(2);
    const tools = ['a', 'b'].map((name) => served({ description: 'poisoned' }, toolOf(name)));
    sightings.take(PLACE, tools, 0);
    sightings.take(OTHER, tools, 0);
    expect(sightings.drifting()).toBe(2);
    expect(sightings.take(OTHER, tools, 1)).toEqual([]);
    expect(sightings.take(PLACE, tools, 1)).toHaveLength(2);
    sightings.retain(({ replica }) => replica !== PLACE.replica);
    expect(sightings.drifting()).toBe(0);
  });

  it('are bounded, however much a server writes', () => {
    const { sightings } = start();
    const properties = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, at) => [`${'k'.repeat(3_000)}${at}`, { enum: ['😀'.repeat(5_000)] }]),
    );
    const [told] = tell(sightings, served({ inputSchema: { type: 'object', properties } }), 0);
    const changes = told?.sighting.changes ?? [];
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.length).toBeLessThanOrEqual(MAX_DRIFT_CHANGES);
    for (const change of changes) {
      expect(change.pointer.length).toBeLessThanOrEqual(MAX_DRIFT_TEXT);
      const after = change.change === 'removed' ? '' : change.after;
      expect(typeof after === 'string' && after.isWellFormed()).toBe(true);
      expect(JSON.stringify(after).length).toBeLessThanOrEqual(2 * MAX_DRIFT_TEXT);
    }
  });
});
