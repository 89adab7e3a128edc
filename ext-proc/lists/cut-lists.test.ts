import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListOrder } from '#core/guard-orders.ts';
import type { Json } from '#core/json.ts';
import type { McpListKind } from '#core/mcp-call.ts';
import type { ServerVersion } from '#core/server.ts';
import { LIST_KEYS, type Pins } from '#ext-proc/lists/cut-list.ts';
import { cutLists } from '#ext-proc/lists/cut-lists.ts';
import { readAnswerMessage } from '#ext-proc/message/answer-message.ts';
import { cpuTimeOf } from '#test/support/cpu-time.ts';

const show = (...names: string[]): readonly ListOrder[] =>
  (['tools', 'prompts'] as const).map((kind) => ({ kind, visible: { all: false, names } }));
/** Nothing is pinned of them but their names. */
const VERSION = { tools: ['a', 'b', 'c'].map((name) => ({ name })) } as unknown as ServerVersion;
const PINS: Pins = { version: VERSION, mode: 'hide' };
const RULES = { orders: show('a', 'c'), era: 'legacy', strict: true, pins: PINS } as const;

type Rules = Parameters<typeof cutLists>[1] & { readonly strict: boolean };

const cutBytes = (bytes: Uint8Array, rules: Partial<Rules> = {}) => {
  const read = readAnswerMessage(bytes, { ...RULES, ...rules });
  return read.ok ? cutLists(read.value, { ...RULES, ...rules }) : read;
};
const cut = (text: string, rules: Partial<Rules> = {}) => cutBytes(Buffer.from(text), rules);
const textOf = (text: string, rules: Partial<Rules> = {}): string | undefined => {
  const result = cut(text, rules);
  return result.ok ? result.value.message.text : undefined;
};
const faultOf = (text: string, rules: Partial<Rules> = {}): string | undefined => {
  const result = cut(text, rules);
  return result.ok ? undefined : result.error.fault;
};
const answer = (result: string, id = '1'): string => `{"jsonrpc":"2.0","id":${id},"result":${result}}`;

describe('cutLists', () => {
  it('takes out what is not visible and leaves every other byte', () => {
    const entry = (name: string) =>
      `{ "name":"${name}", "x":1.50, "big":12345678901234567890, "u":"\\u00e9" }`;
    const text = (list: string) =>
      `{"jsonrpc":"2.0", "result":{ "prompts":${list} ,"nextCursor":"n","ttlMs":1e3},"id":1}`;
    const result = cut(text(`[ ${entry('a')} ,${entry('b')},\n${entry('c')}]`));
    expect(result).toEqual({
      ok: true,
      value: {
        message: expect.objectContaining({ text: text(`[${entry('a')},${entry('c')}]`) }),
        lists: [{ kind: 'prompts', kept: 2, dropped: 1 }],
        tools: [],
        stripped: 0,
      },
    });
  });

  it('leaves a list that is visible as a whole as it is', () => {
    const text = answer('{"prompts":[ {"name":"a"} , {"name":"z"} ]}');
    expect(textOf(text, { orders: [{ kind: 'prompts', visible: { all: true } }] })).toBe(text);
  });

  it.each(Object.entries(LIST_KEYS))('knows %s by their %s', (kind, key) => {
    const text = answer(`{"${kind}":[{"${key}":"a"},{"${key}":"b"}]}`);
    const orders = [{ kind: kind as McpListKind, visible: { all: false as const, names: ['b'] } }];
    expect(textOf(text, { orders })).toBe(answer(`{"${kind}":[{"${key}":"b"}]}`));
  });

  it('shows nothing of a kind that no order names', () => {
    expect(textOf(answer('{"resources":[{"uri":"a"}],"tools":[]}'))).toBe(
      answer('{"resources":[],"tools":[]}'),
    );
  });

  it('cuts a list under any id', () => {
    for (const id of ['2', '"x"', 'null']) {
      expect(textOf(answer('{"tools":[{"name":"b"}]}', id))).toBe(answer('{"tools":[]}', id));
    }
  });

  it('forces private caching where the client may cache', () => {
    const list = '"tools":[]';
    expect(textOf(answer(`{${list},"cacheScope":"public"}`))).toBe(
      answer(`{${list},"cacheScope":"private"}`),
    );
    expect(textOf(answer(`{${list}}`))).toBe(answer(`{${list}}`));
    expect(textOf(answer(`{${list}}`), { era: 'stateless' })).toBe(
      answer(`{"cacheScope":"private",${list}}`),
    );
    expect(textOf(answer(`{"cacheScope":{"a":1},${list}}`), { era: 'stateless' })).toBe(
      answer(`{"cacheScope":"private",${list}}`),
    );
    const all = { orders: [{ kind: 'tools', visible: { all: true } }], era: 'stateless' } as const;
    expect(textOf(answer(`{${list},"cacheScope":"public"}`), all)).toBe(
      answer(`{${list},"cacheScope":"private"}`),
    );
  });

  it.each([
    ['a notification', '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'],
    [
      'a request of the server',
      '{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"tools":[]}}',
    ],
    ['an error', '{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"x"}}'],
    ['a result without a list', '{"jsonrpc":"2.0","id":1,"result":{"content":[],"cacheScope":"public"}}'],
  ])('passes %s byte for byte', (_, text) => {
    expect(textOf(text)).toBe(text);
  });

  it.each([
    ['json_invalid', '{"jsonrpc":"2.0"'],
    [
      'json_duplicate_key',
      '{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"result":{"tools":[{"name":"b"}]}}',
    ],
    ['json_duplicate_key', answer('{"tools":[{"name":"a","name":"b"}]}')],
    ['json_duplicate_key', answer('{"tools":[{"name":"a","\\u006eame":"b"}]}')],
    ['json_too_deep', answer(`{"tools":${'['.repeat(100)}${']'.repeat(100)}}`)],
    ['message_shape', `[${answer('{"tools":[]}')}]`],
    ['message_shape', '"tools"'],
    ['message_shape', '{"id":1,"result":{"tools":[]}}'],
    ['message_shape', '{"jsonrpc":"2.0","id":1}'],
    ['message_shape', answer('[{"name":"b"}]')],
    ['message_shape', '{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"error":{"code":1,"message":""}}'],
    ['message_shape', '{"jsonrpc":"2.0","id":1,"method":"x","result":{"tools":[{"name":"b"}]}}'],
    ['message_shape', '{"jsonrpc":"2.0","id":1,"method":"x","error":{"code":1,"message":""}}'],
    ['key_variant', '{"jsonrpc":"2.0","id":1,"Result":{"tools":[{"name":"b"}]},"result":{"tools":[]}}'],
    ['key_variant', answer('{"Tools":[{"name":"b"}]}')],
    ['key_variant', answer('{"tool\\u017f":[{"name":"b"}],"tools":[]}')],
    ['key_variant', answer('{"tools":[],"CacheScope":"public"}')],
    ['key_variant', answer('{"tools":[{"name":"a","Name":"b"}]}')],
    ['key_variant', answer('{"tools":[{"name":"a","Description":"b"}]}')],
    ['key_variant', answer('{"tools":[{"name":"a","input\\u017fchema":{}}]}')],
    ['key_variant', answer('{"__proto__":{"tools":[{"name":"b"}]}}')],
    ['key_variant', '{"jsonrpc":"2.0","id":1,"result":{},"__proto__":{"result":{"tools":[{"name":"b"}]}}}'],
    ['list_shape', answer('{"tools":{"0":{"name":"b"}}}')],
    ['list_shape', answer('{"tools":null}')],
    ['entry_shape', answer('{"tools":["b"]}')],
    ['entry_shape', answer('{"tools":[{"title":"b"}]}')],
    ['entry_shape', answer('{"tools":[{"name":["a"]}]}')],
    ['entry_shape', answer('{"tools":[{"__proto__":{"name":"a"}}]}')],
    ['entry_repeated', answer('{"tools":[{"name":"a","x":1},{"name":"a","x":2}]}')],
  ])('refuses with %s: %s', (fault, text) => {
    expect(faultOf(text)).toBe(fault);
  });

  it('takes no time over keys made to be slow to fold', () => {
    const text = answer(`{"tools":[],"${'\u0316\u0301'.repeat(200_000)}":1}`);
    expect(cpuTimeOf(() => expect(cut(text).ok).toBe(true))).toBeLessThan(1_000);
  });

  it('refuses bytes that are not UTF-8', () => {
    const result = cutBytes(Buffer.from([0x7b, 0xff, 0x7d]));
    expect(result).toEqual({ ok: false, error: { reason: 'answer_refused', fault: 'body_not_utf8' } });
  });

  it('lets an error body be any JSON object, but cuts a list in it', () => {
    const lenient = { strict: false };
    for (const text of ['{"error":"no such session"}', '{"result":"failed","error":null}', '{}']) {
      expect(textOf(text, lenient)).toBe(text);
    }
    expect(textOf('{"result":{"tools":[{"name":"b"}]}}', lenient)).toBe('{"result":{"tools":[]}}');
    expect(faultOf('{"result":{"tools":7}}', lenient)).toBe('list_shape');
  });

  it('cuts a result it has cut before for another caller, version and mode as if it had not', () => {
    const entry = '{"name":"a","description":"as served"}';
    const text = (id: string) => `{"jsonrpc":"2.0","id":${id},"result":{"tools":[${entry},{"name":"c"}]}}`;
    const read = readAnswerMessage(Buffer.from(text('1')), { strict: true });
    if (!read.ok) throw new Error(read.error.fault);
    const { result } = read.value.value;
    const again = (id: string, rules: Partial<Rules> = {}) => {
      const message = { text: text(id), value: { ...read.value.value, id, result: result as Json } };
      const outcome = cutLists(message, { ...RULES, ...rules });
      return outcome.ok ? outcome.value.message.text : undefined;
    };
    const drifted = { version: VERSION, mode: 'report' } as const;
    const tools = [{ name: 'a', description: 'as served' }];
    const approved = { version: { tools } as unknown as ServerVersion, mode: 'hide' } as const;
    const list = (id: string, shown: string) => text(id).replace(/\[.*\]/, `[${shown}]`);
    expect(again('1')).toBe(list('1', '{"name":"c"}'));
    expect(again('12345')).toBe(list('12345', '{"name":"c"}'));
    expect(again('2', { orders: show('a') })).toBe(list('2', ''));
    expect(again('3', { pins: drifted })).toBe(text('3'));
    expect(again('4', { pins: approved })).toBe(list('4', entry));
    expect(again('5')).toBe(list('5', '{"name":"c"}'));
  });

  it('keeps exactly the visible entries, in order, of any list', () => {
    const names = fc.uniqueArray(fc.string({ unit: 'grapheme' }), { maxLength: 20 });
    fc.assert(
      fc.property(names, fc.array(fc.nat(25)), fc.nat(2), fc.jsonValue(), (all, picks, indent, extra) => {
        const visible = picks.flatMap((index) => all[index] ?? []);
        const message = (list: readonly string[]) => ({
          jsonrpc: '2.0',
          id: 1,
          result: { prompts: list.map((name) => ({ extra, name })), extra },
        });
        const text = textOf(JSON.stringify(message(all), null, indent), { orders: show(...visible) });
        expect(JSON.parse(text ?? '')).toEqual(
          JSON.parse(JSON.stringify(message(all.filter((name) => visible.includes(name))))),
        );
      }),
      { numRuns: 500 },
    );
  });
});
