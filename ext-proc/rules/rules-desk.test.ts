import { describe, expect, it } from 'vitest';
import type { Snapshot } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';
import { createRulesDesk } from '#ext-proc/rules/rules-desk.ts';
import { answerRules, pinnedTool } from '#test/support/answer-rules.ts';
import { ordersOff } from '#test/support/guarded-call.ts';

const { tenant: TENANT } = answerRules({ tools: [pinnedTool('search')] });
const snapshot = (sequence: number, ...tenants: readonly Tenant[]): Snapshot => ({ sequence, tenants });
const at = (revision: number): Tenant => ({ ...TENANT, revision });

const NO_PATIENCE_MS = 1;
const open = (first: Snapshot, patienceMs = 10_000) => {
  const held = { snapshot: first };
  const desk = createRulesDesk({ snapshot: () => held.snapshot, patienceMs });
  const arrive = (next: Snapshot): void => {
    held.snapshot = next;
    desk.arrived();
  };
  return { desk, arrive };
};

describe('the rules for an answer', () => {
  it('are those of the version, with the pinned tool that was called', () => {
    const { desk } = open(snapshot(7, at(3)));
    expect(desk.rulesFor(ordersOff({ revision: 3, tool: 'search' }))).toMatchObject({
      version: { version: '1.0.0' },
      tool: { name: 'search' },
      guard: { drift: 'hide', results: 'refuse' },
    });
  });

  it('are none for a version, a server or a tenant that is not there', () => {
    const { desk } = open(snapshot(7, at(3)));
    for (const gone of [{ version: '9.9.9' }, { serverId: 'other' }])
      expect(desk.rulesFor(ordersOff({ revision: 3, ...gone }))).toBeUndefined();
  });

  it('are not waited for where a newer copy no longer has the tenant', () => {
    const { desk } = open(snapshot(8));
    expect(desk.rulesFor(ordersOff({ sequence: 7, revision: 3 }))).toBeUndefined();
  });

  it('are waited for while the tenant is older than the call was judged by', async () => {
    const { desk, arrive } = open(snapshot(7, at(3)));
    const rules = desk.rulesFor(ordersOff({ sequence: 9, revision: 4 }));
    arrive(snapshot(8, at(3)));
    arrive(snapshot(9, at(4)));
    expect((await rules)?.tenant.revision).toBe(4);
  });

  it('are not waited for because of another tenant', () => {
    const { desk } = open(snapshot(7, at(3)));
    expect(desk.rulesFor(ordersOff({ sequence: 900, revision: 3 }))).not.toBeInstanceOf(Promise);
  });

  it('are none where they do not come in time', async () => {
    const { desk } = open(snapshot(7, at(3)), NO_PATIENCE_MS);
    expect(await desk.rulesFor(ordersOff({ revision: 4 }))).toBeUndefined();
    expect(await open(snapshot(0), NO_PATIENCE_MS).desk.rulesFor(ordersOff({ revision: 1 }))).toBeUndefined();
  });

  it('go by the sequence for an ext-authz that tells no revision', async () => {
    const { desk } = open(snapshot(7, at(3)), NO_PATIENCE_MS);
    expect(desk.rulesFor(ordersOff({ sequence: 7 }))).toBeDefined();
    expect(await desk.rulesFor(ordersOff({ sequence: 8 }))).toBeUndefined();
  });
});
