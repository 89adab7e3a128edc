// Unit tests of decision.ts, guard-orders.ts, reason.ts and secret.ts: the locked door.
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Allow, allow, type Decision, deny, isAllow } from '#core/decision.ts';
import { type GuardOrders, guardOrdersToJson, parseGuardOrders } from '#core/guard-orders.ts';
import type { Identity } from '#core/identity.ts';
import { REASONS, type ReasonRow } from '#core/reason.ts';
import { Secret } from '#core/secret.ts';

const orders: GuardOrders = {
  guard: 'off',
  tenantId: 'default',
  serverId: 'tracker',
  version: '1.0.0',
  principal: '["i","s"]',
  era: 'stateless',
  requestId: 'r',
  sequence: 3,
  lists: [],
};
const identity = { principal: '["i","s"]' } as Identity;
const facts = { identity, version: '1.0.0', upstreamToken: null, orders };

describe('allow()', () => {
  it('is the only source of an Allow', () => {
    const genuine = allow(facts);
    expect(isAllow(genuine)).toBe(true);
    expect(isAllow({ ...genuine } as Decision)).toBe(false);
    expect(isAllow({ ...facts, kind: 'allow' } as unknown as Decision)).toBe(false);
    expect(isAllow(deny('internal_error'))).toBe(false);
  });

  it('cannot be changed afterwards', () => {
    const genuine: Allow = allow(facts);
    expect(() => Object.assign(genuine, { version: '2' })).toThrow(TypeError);
  });
});

describe('guard orders', () => {
  it('survive the trip through JSON', () => {
    const list: GuardOrders = {
      ...orders,
      guard: 'list',
      method: 'tools/list',
      jsonRpcId: 7,
      resumes: true,
      caller: { issuerId: 'home', ids: ['o', 's'], applications: [] },
      credential: { issuerId: 'home', subject: 's', tid: 't', oid: 'o', issuedAt: 1_767_268_800 },
      lists: [
        { kind: 'tools', visible: { all: false, names: ['a'] } },
        { kind: 'prompts', visible: { all: true } },
      ],
    };
    for (const sent of [orders, list])
      expect(parseGuardOrders(guardOrdersToJson(sent))).toEqual({ ok: true, value: sent });
  });

  it.each([
    [undefined, 'orders'],
    [{}, 'guard'],
    [{ ...guardOrdersToJson(orders), guard: 'denied' }, 'guard'],
    [{ ...guardOrdersToJson(orders), guard: 'list' }, 'lists'],
    [{ ...guardOrdersToJson(orders), lists: [{ kind: 'tools', all: true, names: [] }] }, 'lists'],
    [{ ...guardOrdersToJson(orders), guard: 'list', lists: [{ kind: 'tools', all: false }] }, 'lists'],
    [{ ...guardOrdersToJson(orders), guard: 'list', lists: [{ kind: 'tools', names: [] }] }, 'lists'],
    [
      { ...guardOrdersToJson(orders), guard: 'list', lists: [{ kind: 'secrets', all: true, names: [] }] },
      'lists',
    ],
    [{ ...guardOrdersToJson(orders), sequence: '3' }, 'sequence'],
    [{ ...guardOrdersToJson(orders), principal: 1 }, 'principal'],
    [{ ...guardOrdersToJson(orders), caller: null }, 'caller'],
    [{ ...guardOrdersToJson(orders), caller: { issuerId: 'home', ids: ['o'] } }, 'caller'],
    [{ ...guardOrdersToJson(orders), caller: { issuerId: 'home', ids: [1], applications: [] } }, 'caller'],
    [{ ...guardOrdersToJson(orders), credential: { issuerId: 'home', subject: 's' } }, 'credential'],
    [{ ...guardOrdersToJson(orders), credential: { issuerId: 'home', issuedAt: 1 } }, 'credential'],
    [
      { ...guardOrdersToJson(orders), credential: { issuerId: 'home', subject: 's', issuedAt: 1, oid: 2 } },
      'credential',
    ],
    [{ ...guardOrdersToJson(orders), resumes: false }, 'resumes'],
  ])('refuse what is incomplete, naming the field (%#)', (value, field) => {
    expect(parseGuardOrders(value)).toEqual({ ok: false, error: field });
  });
});

describe('the book of reasons', () => {
  const rows: [string, ReasonRow][] = Object.entries(REASONS);

  it('keeps codes of our own out of the ranges JSON-RPC and MCP reserve', () => {
    const standard = [-32700, -32600, -32601, -32602, -32020, -32022];
    const strays = rows.filter(
      ([, row]) =>
        !standard.includes(row.jsonRpcCode) && !(row.jsonRpcCode <= -31000 && row.jsonRpcCode >= -31999),
    );
    expect(strays).toEqual([]);
  });

  it('answers 401 and 403 only for authentication, scope and origin', () => {
    const guarded = rows.filter(([, row]) => row.httpStatus === 401 || row.httpStatus === 403);
    for (const [name, row] of guarded) {
      expect(
        row.delivery === 'challenge' || row.delivery === 'scope' || name === 'origin_forbidden',
        name,
      ).toBe(true);
    }
  });

  it('tells a caller of a tool that is not granted nothing it would not hear of one that does not exist', () => {
    expect(REASONS.tool_unknown).toEqual(REASONS.tool_not_granted);
  });
});

describe('Secret', () => {
  it('does not print itself in any ordinary way', () => {
    const secret = new Secret('hunter2');
    const printed = [
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ secret }, { showHidden: true }),
      String(secret),
    ];
    expect(printed.join()).not.toContain('hunter2');
    expect(secret.reveal()).toBe('hunter2');
  });
});
