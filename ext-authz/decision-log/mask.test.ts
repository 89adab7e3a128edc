// What is kept out of the decision log, and that the rest still says the same.

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import { DEFAULT_MASKS, maskInput, parseMasks } from '#ext-authz/decision-log/mask.ts';
import { buildPolicyInput } from '#ext-authz/policy/input.ts';
import { ALICE, grant, question, tenant, toolCall } from '#test/support/policy-world.ts';

const KEY = Buffer.alloc(32, 7);

const INPUT: JsonObject = {
  identity: { subject: 's-alice', oid: 'o-alice', groups: ['engineering'] },
  grants: [{ id: 'g', subjects: [{ kind: 'user', id: 'o-alice' }], tools: ['a'] }],
  call: { method: 'tools/call', values: { '/note': 'secret' }, arguments: { note: 'secret', to: 'o-alice' } },
  request: { time: 't', ip: '192.0.2.1', session: 'x', id: 'r' },
};

describe('maskInput', () => {
  it('keeps out what people wrote, where they were and who they are', () => {
    const { input, erased, masked } = maskInput(INPUT, DEFAULT_MASKS, KEY);
    expect(JSON.stringify(input)).not.toMatch(/secret|192\.0|alice/);
    expect(input['request']).toEqual({ time: 't', id: 'r' });
    expect(input['call']).toEqual({ method: 'tools/call' });
    expect(erased).toEqual([
      '/input/call/arguments',
      '/input/call/values',
      '/input/request/ip',
      '/input/request/session',
    ]);
    expect(masked).toEqual(['/input/identity/subject', '/input/identity/oid']);
  });

  it('gives a person one name wherever the input has it, so that a grant to that person still matches', () => {
    const { input } = maskInput(INPUT, DEFAULT_MASKS, KEY);
    const { oid } = input['identity'] as JsonObject;
    expect(oid).toMatch(/^person-[0-9a-f]{16}$/);
    expect(input['grants']).toMatchObject([{ subjects: [{ kind: 'user', id: oid }] }]);
    expect(maskInput(INPUT, DEFAULT_MASKS, KEY).input).toEqual(input);
    expect(
      (maskInput(INPUT, DEFAULT_MASKS, Buffer.alloc(32, 8)).input['identity'] as JsonObject)['oid'],
    ).not.toBe(oid);
  });

  it('says only what was there and leaves its argument alone', () => {
    const before = structuredClone(INPUT);
    const { erased } = maskInput(INPUT, [{ op: 'remove', path: '/input/request/nothing' }], KEY);
    expect(erased).toEqual([]);
    expect(INPUT).toEqual(before);
  });

  it('hides a real caller by default', () => {
    const asked = question({
      tenant: tenant([grant('g', { subjects: [{ kind: 'user', id: ALICE.oid ?? '' }] })]),
      call: toolCall('create_issue', { priority: 'urgent' }),
    });
    const built = buildPolicyInput(asked, { withArguments: true });
    if (!built.ok) throw new Error(built.error.reason);
    const text = JSON.stringify(maskInput(built.value, DEFAULT_MASKS, KEY).input);
    for (const hidden of [ALICE.oid, ALICE.subject, ALICE.name, '192.0.2.10', 'urgent'])
      expect(text).not.toContain(`${hidden}`);
  });
});

describe('parseMasks', () => {
  it('reads a list of masks, an empty one too', () => {
    expect(parseMasks('[]')).toEqual({ ok: true, value: [] });
    expect(parseMasks(JSON.stringify(DEFAULT_MASKS))).toEqual({ ok: true, value: DEFAULT_MASKS });
  });

  it.each([
    'no',
    '{}',
    '[{"op":"remove"}]',
    '[{"op":"hide","path":"/input/x"}]',
    '[{"op":"remove","path":"input/x"}]',
    '[{"op":"remove","path":"/result/x"}]',
    '[{"op":"remove","path":"/input/~2"}]',
    '[{"op":"remove","path":"/input/x","value":1}]',
    '[{"op":"remove","path":"/input/x"},7]',
  ])('does not take %s, because a mask that is not understood hides nothing', (text) => {
    expect(parseMasks(text).ok).toBe(false);
  });
});
