import { describe, expect, it } from 'vitest';
import { findKeyVariant } from '#core/key-variant.ts';
import { cpuTimeOf } from '#test/support/cpu-time.ts';

const find = (key: string) => findKeyVariant(JSON.parse(`{${JSON.stringify(key)}:1}`), ['tools', 'link']);

describe('findKeyVariant', () => {
  it.each(['Tools', 'TOOLS', 'tool\u017f', 'lin\u212a', 'l\u0131nk', '\uff54ools', '__proto__'])(
    'finds %s',
    (key) => expect(find(key)).toBe(key),
  );

  it.each(['tools', 'link', 'tool', 'tools ', 'toolset', ''])('lets %j be', (key) => {
    expect(find(key)).toBeUndefined();
  });

  it.each(['\u0316\u0301', '\ufdfa'])('takes no time over a long key of %j', (part) => {
    const object = { [part.repeat(500_000)]: 1 };
    const find = () => expect(findKeyVariant(object, ['tools'])).toBeUndefined();
    expect(cpuTimeOf(find)).toBeLessThan(500);
  });
});
