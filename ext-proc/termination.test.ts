import { describe, expect, it } from 'vitest';
import type { McpServer } from '#core/server.ts';
import { EMPTY_SNAPSHOT, type Snapshot } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';
import { isMeant, isSwitchedOff, isTakenAway } from '#ext-proc/termination.ts';
import { ordersOff, SERVER, TENANT } from '#test/support/guarded-call.ts';

const snapshot = (sequence: number, servers: Readonly<Record<string, boolean>>): Snapshot => {
  const found = Object.entries(servers).map(([id, enabled]) => ({ id, enabled }) as McpServer);
  return { sequence, tenants: [{ id: TENANT, servers: found } as unknown as Tenant] };
};
const orders = ordersOff({ sequence: 7 });

describe('isSwitchedOff', () => {
  it('is true where the server or its tenant is disabled or gone', () => {
    expect(isSwitchedOff(snapshot(7, { [SERVER]: false }), orders)).toBe(true);
    expect(isSwitchedOff(snapshot(8, {}), orders)).toBe(true);
    expect(isSwitchedOff({ sequence: 8, tenants: [] }, orders)).toBe(true);
    expect(isSwitchedOff(snapshot(8, { [SERVER]: true }), orders)).toBe(false);
  });

  it('believes no snapshot older than the judgement, and none that is empty', () => {
    expect(isSwitchedOff(snapshot(6, {}), orders)).toBe(false);
    expect(isSwitchedOff(EMPTY_SNAPSHOT, ordersOff({ sequence: 0 }))).toBe(false);
  });
});

describe('isTakenAway', () => {
  it('counts a step that disables the server, also behind a registry that began anew', () => {
    const before = snapshot(9, { [SERVER]: true });
    expect(isTakenAway(before, snapshot(3, { [SERVER]: false }), orders)).toBe(true);
    expect(isTakenAway(before, snapshot(10, { [SERVER]: true, other: false }), orders)).toBe(false);
  });

  it('leaves the streams of a server that our copy does not know yet', () => {
    expect(isTakenAway(snapshot(5, {}), snapshot(6, {}), orders)).toBe(false);
  });
});

describe('isMeant', () => {
  const command = { kind: 'terminate-streams', id: 'e', reason: '', actor: '', at: '' } as const;

  it('matches what the command names and nothing else', () => {
    const all = { ...command, tenantId: TENANT };
    expect(isMeant(all, orders)).toBe(true);
    expect(isMeant({ ...all, serverId: SERVER, principal: orders.principal }, orders)).toBe(true);
    expect(isMeant({ ...all, tenantId: 'other' }, orders)).toBe(false);
    expect(isMeant({ ...all, serverId: 'other' }, orders)).toBe(false);
    expect(isMeant({ ...all, serverId: SERVER, principal: 'other' }, orders)).toBe(false);
  });
});
