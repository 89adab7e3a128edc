// Unit tests of cut-memory.ts, and of cut-lists.ts over it: what is recalled is what a first reading would give.

import { describe, expect, it } from 'vitest';
import type { ListOrder } from '#core/guard-orders.ts';
import type { ListRules } from '#ext-proc/lists/cut-list.ts';
import { cutLists } from '#ext-proc/lists/cut-lists.ts';
import { createCutMemory } from '#ext-proc/lists/cut-memory.ts';
import { readAnswerMessage } from '#ext-proc/message/answer-message.ts';
import { createListMemory } from '#ext-proc/message/list-memory.ts';
import { entriesOf } from '#test/bench/listed-tools.ts';
import { answerRules, pinnedTool } from '#test/support/answer-rules.ts';

const versionOf = (...names: string[]) =>
  answerRules({ tools: names.map((name) => pinnedTool(name)) }).version;
const version = versionOf('a', 'b', 'c');

const rulesFor = (names: readonly string[] | 'all', more: Partial<ListRules> = {}): ListRules => {
  const visible: ListOrder['visible'] = names === 'all' ? { all: true } : { all: false, names };
  return { orders: [{ kind: 'tools', visible }], era: 'legacy', pins: { version, mode: 'hide' }, ...more };
};

const OTHERS: readonly (readonly [string, ListRules])[] = [
  ['a name more', rulesFor(['a', 'b', 'c'])],
  ['a name less', rulesFor(['a'])],
  ['another name', rulesFor(['a', 'c'])],
  ['all names', rulesFor('all')],
  [
    'another kind',
    { ...rulesFor([]), orders: [{ kind: 'prompts', visible: { all: false, names: ['a', 'b'] } }] },
  ],
  ['no order', { ...rulesFor([]), orders: [] }],
  ['another era', rulesFor(['a', 'b'], { era: 'stateless' })],
  ['another version', rulesFor(['a', 'b'], { pins: { version: versionOf('b', 'c'), mode: 'hide' } })],
  ['another mode', rulesFor(['a', 'b'], { pins: { version, mode: 'report' } })],
];

describe('createCutMemory', () => {
  it('recalls what the same rules made of a result', () => {
    const memory = createCutMemory<string>();
    const result = {};
    memory.keep(result, rulesFor(['a', 'b']), 'cut');
    expect(memory.recall(result, rulesFor(['a', 'b']))).toBe('cut');
    expect(memory.recall({}, rulesFor(['a', 'b']))).toBeUndefined();
  });

  it.each(OTHERS)('knows nothing by %s', (_, other) => {
    const memory = createCutMemory<string>();
    const result = {};
    memory.keep(result, rulesFor(['a', 'b']), 'cut');
    expect(memory.recall(result, other)).toBeUndefined();
    memory.keep(result, other, 'other');
    expect(memory.recall(result, rulesFor(['a', 'b']))).toBe('cut');
  });

  it('forgets the oldest of many', () => {
    const memory = createCutMemory<number>();
    const result = {};
    for (let at = 0; at < 5; at += 1) memory.keep(result, rulesFor([`${at}`]), at);
    const known = [0, 1, 2, 3, 4].map((at) => memory.recall(result, rulesFor([`${at}`])));
    expect(known).toEqual([undefined, 1, 2, 3, 4]);
  });
});

describe('cutLists of a list that is known', () => {
  const place = { tenantId: 't', serverId: 's', version: '1.0.0' };
  const entries = entriesOf(['a', 'b', 'c', 'd'].map((name) => pinnedTool(name)));
  const bodyOf = (id: string): Buffer =>
    Buffer.from(JSON.stringify({ jsonrpc: '2.0', result: { tools: entries, more: 'é' }, id }));
  const read = (bytes: Buffer) => {
    const message = readAnswerMessage(bytes, { strict: true });
    if (!message.ok) throw new Error(message.error.fault);
    return message.value;
  };

  it('makes the same of it for every caller in any order as a first reading, under the id of each call', () => {
    const memory = createListMemory();
    memory.keep(bodyOf('1'), read(bodyOf('1')), place);
    const callers = [['-', rulesFor(['a', 'b'])] as const, ...OTHERS];
    for (const [at, rules] of [...callers, ...callers.toReversed()].map(
      ([, rules], at) => [at, rules] as const,
    )) {
      const bytes = bodyOf(`call-${at}`);
      const message = memory.recall(bytes, place);
      if (message === undefined) throw new Error('the list is not known');
      const [known, fresh] = [cutLists(message, rules), cutLists(read(bytes), rules)];
      if (!known.ok || !fresh.ok) throw new Error('the list was refused');
      expect(known.value.message.text).toBe(fresh.value.message.text);
      expect({ ...known.value, message: '' }).toEqual({ ...fresh.value, message: '' });
    }
  });
});
