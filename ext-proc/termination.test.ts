import { describe, expect, it } from 'vitest';
import type { GuardOrders } from '#core/guard-orders.ts';
import type { KillSwitch, SwitchTarget } from '#core/kill-switch.ts';
import type { Revocation } from '#core/revocation.ts';
import { createRevocationBook } from '#core/revocation-book.ts';
import type { McpServer } from '#core/server.ts';
import { EMPTY_SNAPSHOT, type Snapshot } from '#core/snapshot.ts';
import type { Tenant } from '#core/tenant.ts';
import { isEndedBy, isMeant, isRevoked, isSwitchedOff, isTakenAway } from '#ext-proc/termination.ts';
import { ordersOff, SERVER, TENANT } from '#test/support/guarded-call.ts';

const NOW_MS = Date.parse('2026-01-31T12:00:00Z');

const snapshot = (
  sequence: number,
  servers: Readonly<Record<string, boolean>>,
  killSwitches: readonly KillSwitch[] = [],
): Snapshot => {
  const found = Object.entries(servers).map(([id, enabled]) => ({ id, enabled }) as McpServer);
  return { sequence, tenants: [{ id: TENANT, servers: found, killSwitches } as unknown as Tenant] };
};
const orders = ordersOff({ sequence: 7 });

describe('isSwitchedOff', () => {
  it('is true where the server or its tenant is disabled or gone', () => {
    expect(isSwitchedOff(snapshot(7, { [SERVER]: false }), orders, NOW_MS)).toBe(true);
    expect(isSwitchedOff(snapshot(8, {}), orders, NOW_MS)).toBe(true);
    expect(isSwitchedOff({ sequence: 8, tenants: [] }, orders, NOW_MS)).toBe(true);
    expect(isSwitchedOff(snapshot(8, { [SERVER]: true }), orders, NOW_MS)).toBe(false);
  });

  it('believes no snapshot older than the judgement, and none that is empty', () => {
    expect(isSwitchedOff(snapshot(6, {}), orders, NOW_MS)).toBe(false);
    expect(isSwitchedOff(EMPTY_SNAPSHOT, ordersOff({ sequence: 0 }), NOW_MS)).toBe(false);
  });
});

describe('a kill switch', () => {
  const call = ordersOff({
    sequence: 7,
    tool: 'purge',
    principal: 'alice',
    caller: { issuerId: 'home', ids: ['object-alice', 'pairwise-alice'], applications: ['cli'] },
  });
  const isOff = (target: SwitchTarget, given: GuardOrders = call, until?: string): boolean => {
    const thrown = { id: 's', target, ...(until === undefined ? {} : { until }) };
    return isSwitchedOff(snapshot(8, { [SERVER]: true }, [thrown]), given, NOW_MS);
  };

  it.each<[SwitchTarget, SwitchTarget]>([
    [
      { kind: 'server', serverId: SERVER },
      { kind: 'server', serverId: 'other' },
    ],
    [
      { kind: 'tool', serverId: SERVER, tool: 'purge' },
      { kind: 'tool', serverId: SERVER, tool: 'list' },
    ],
    [
      { kind: 'principal', principal: 'alice' },
      { kind: 'principal', principal: 'bob' },
    ],
    [
      { kind: 'principal', id: 'object-alice', issuerId: 'home' },
      { kind: 'principal', id: 'object-alice', issuerId: 'partner' },
    ],
    [
      { kind: 'application', clientId: 'cli' },
      { kind: 'application', clientId: 'web' },
    ],
  ])('%o ends the streams it means, and %o leaves them', (meant, other) => {
    expect(isOff(meant)).toBe(true);
    expect(isOff(other)).toBe(false);
  });

  it('on the tenant ends all of its streams', () => {
    expect(isOff({ kind: 'tenant' })).toBe(true);
  });

  it('that has lapsed ends none', () => {
    expect(isOff({ kind: 'tenant' }, call, '2026-01-31T12:00:00Z')).toBe(false);
    expect(isOff({ kind: 'tenant' }, call, '2026-01-31T12:00:01Z')).toBe(true);
  });

  it('on a tool ends a resumed stream of its server, and leaves a new one', () => {
    const { tool: _tool, ...stream } = call;
    const target: SwitchTarget = { kind: 'tool', serverId: SERVER, tool: 'purge' };
    expect(isOff(target, stream)).toBe(false);
    expect(isOff(target, { ...stream, resumes: true })).toBe(true);
  });

  it('on a caller ends a stream of which an older ext-authz did not say enough', () => {
    const { caller: _caller, ...older } = call;
    expect(isOff({ kind: 'application', clientId: 'web' }, older)).toBe(true);
    expect(isOff({ kind: 'principal', id: 'object-bob' }, older)).toBe(true);
    expect(isOff({ kind: 'principal', principal: 'bob' }, older)).toBe(false);
  });
});

describe('isTakenAway', () => {
  it('counts a step that disables the server, also behind a registry that began anew', () => {
    const before = snapshot(9, { [SERVER]: true });
    const disabled = { before, after: snapshot(3, { [SERVER]: false }) };
    expect(isTakenAway(disabled, orders, NOW_MS)).toBe(true);
    const other = { before, after: snapshot(10, { [SERVER]: true, other: false }) };
    expect(isTakenAway(other, orders, NOW_MS)).toBe(false);
  });

  it('counts a step that throws a switch, there too', () => {
    const before = snapshot(9, { [SERVER]: true });
    const after = snapshot(3, { [SERVER]: true }, [{ id: 's', target: { kind: 'tenant' } }]);
    expect(isTakenAway({ before, after }, orders, NOW_MS)).toBe(true);
    expect(isTakenAway({ before: after, after: before }, orders, NOW_MS)).toBe(false);
  });

  it('leaves the streams of a server that our copy does not know yet', () => {
    const step = { before: snapshot(5, {}), after: snapshot(6, {}) };
    expect(isTakenAway(step, orders, NOW_MS)).toBe(false);
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

describe('a revocation', () => {
  const mark: Revocation = {
    id: 'mark-1',
    tenantId: TENANT,
    target: { kind: 'subject', issuerId: 'home', subject: 'mallory' },
    notBefore: 1_000,
    source: 'operator',
    reason: 'laptop stolen',
    at: '2026-01-31T12:00:00.000Z',
    until: 9_000,
  };
  const open = (issuedAt: number, subject = 'mallory', guard: GuardOrders['guard'] = 'off') =>
    ordersOff({
      guard,
      credential: { issuerId: 'home', subject, issuedAt },
      ...(guard === 'websocket' ? { basis: 'b' } : {}),
    });

  it('ends what was opened with a token from before it, WebSockets among it, and nothing else', () => {
    const ends = isEndedBy([mark]);
    expect(ends(open(999))).toBe(true);
    expect(ends(open(999, 'mallory', 'websocket'))).toBe(true);
    expect(ends(open(1_000))).toBe(false);
    expect(ends(open(999, 'alice'))).toBe(false);
    expect(isEndedBy([{ ...mark, tenantId: 'other' }])(open(999))).toBe(false);
  });

  it('keeps an answer from beginning that was let in before it came', () => {
    const book = createRevocationBook();
    expect(isRevoked(book, open(999))).toBe(false);
    book.take(mark, 0);
    expect(isRevoked(book, open(999))).toBe(true);
    expect(isRevoked(book, open(1_000))).toBe(false);
  });

  it('ends every stream of its tenant of which nobody knows what opened it', () => {
    expect(isEndedBy([mark])(ordersOff())).toBe(true);
    expect(isEndedBy([{ ...mark, tenantId: 'other' }])(ordersOff())).toBe(false);
    expect(isRevoked(createRevocationBook(), ordersOff())).toBe(false);
  });
});
