import { describe, expect, it } from 'vitest';
import { accessBasis } from '#core/access-basis.ts';
import { grant, PRIORITY, SERVER, tenant, tool, VERSION } from '#test/support/policy-world.ts';

const basisOf = (of: ReturnType<typeof tenant>) => accessBasis(of, of.servers[0] ?? SERVER, '1.0.0');
const first = basisOf(tenant([grant('a')]));

describe('accessBasis()', () => {
  it('is the same for the same, however its members are ordered', () => {
    const { constraints, bindings, ...rest } = SERVER;
    expect(basisOf(tenant([grant('a')], { bindings, constraints, ...rest }))).toBe(first);
  });

  it.each([
    ['a grant', tenant([grant('a', { tools: [] })])],
    ['a limit', tenant([grant('a')], { ...SERVER, constraints: [{ ...PRIORITY, oneOf: [] }] })],
    ['a pinned tool', tenant([grant('a')], { ...SERVER, versions: [{ ...VERSION, tools: [tool('new')] }] })],
    ['who signs tokens', { ...tenant([grant('a')]), issuers: [{ id: 'x' }] as never }],
    ['its version is gone', tenant([grant('a')], { ...SERVER, versions: [] })],
  ])('is another once %s changes', (_, changed) => {
    expect(basisOf(changed)).not.toBe(first);
  });

  it('is not touched by what is none of its business', () => {
    const other = { ...grant('b'), serverId: 'other' };
    expect(basisOf({ ...tenant([grant('a'), other]), revision: 9, displayName: 'x' })).toBe(first);
    expect(basisOf(tenant([grant('a')], { ...SERVER, displayName: 'x', activeVersion: '2' }))).toBe(first);
  });
});
