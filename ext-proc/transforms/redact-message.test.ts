// What redaction leaves of a message: no redacted value in any place or escape, and every other byte as it was.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { responseGuardOf } from '#core/guard-in-force.ts';
import type { GuardOrders } from '#core/guard-orders.ts';
import type { Json, JsonObject } from '#core/json.ts';
import type { Redaction } from '#core/response-guard.ts';
import { readAnswerMessage } from '#ext-proc/message/answer-message.ts';
import { redactMessage } from '#ext-proc/transforms/redact-message.ts';
import type { FitsSchema } from '#ext-proc/transforms/redact-structured.ts';
import { planRedaction } from '#ext-proc/transforms/redaction-plan.ts';
import { answerRules } from '#test/support/answer-rules.ts';
import { ordersOff } from '#test/support/guarded-call.ts';

const MAIL: Redaction = { name: 'mail', pattern: '[\\w.]+@[\\w.]+' };

const guardOf = (redactions: readonly Redaction[]) => {
  const { tenant, server } = answerRules({ guard: { redactions } });
  return responseGuardOf(tenant, server);
};

type Wanted = {
  readonly orders?: Partial<GuardOrders>;
  readonly fits?: FitsSchema;
  readonly isErrorBody?: boolean;
};

const redact = (
  text: string,
  redactions: readonly Redaction[],
  { orders = {}, fits, isErrorBody = false }: Wanted = {},
) => {
  const message = readAnswerMessage(Buffer.from(text), { strict: false });
  if (!message.ok) throw new Error(message.error.fault);
  const plan = planRedaction(guardOf(redactions), ordersOff({ guard: 'rules', tool: 'find', ...orders }));
  if (plan === undefined) throw new Error('no plan');
  const counts: Record<string, number> = {};
  const tally = (name: string, count: number) => {
    counts[name] = (counts[name] ?? 0) + count;
  };
  const outcome = redactMessage(message.value, { plan, fits, tally, isErrorBody });
  return { text: outcome.ok ? outcome.value.text : outcome.error.fault, counts };
};

const answer = (result: string): string => `{"jsonrpc":"2.0","id":1,"result":${result}}`;

const resultOf = (text: string): JsonObject => (JSON.parse(text) as { result: JsonObject }).result;

describe('a pattern', () => {
  it('is replaced in every text of a result, and every other byte stays', () => {
    const { text, counts } = redact(
      answer(
        '{"content":[{"type":"text","text":"to al\\u0069ce@x.example, n\\u00e9"},{"type":"resource_link","uri":"file:///a","name":"bob@x.example","size":1.50},{"type":"resource","resource":{"uri":"file:///b","text":"carol@x.example"}}],"_meta":{"by":"dan@x.example"},"n":12345678901234567890}',
      ),
      [MAIL],
    );
    expect(text).toBe(
      answer(
        '{"content":[{"type":"text","text":"to [redacted], né"},{"type":"resource_link","uri":"file:///a","name":"[redacted]","size":1.50},{"type":"resource","resource":{"uri":"file:///b","text":"[redacted]"}}],"_meta":{"by":"[redacted]"},"n":12345678901234567890}',
      ),
    );
    expect(counts).toEqual({ mail: 4 });
  });

  it('is replaced in structured content, and in a text that repeats it the same', () => {
    const structured = '{"people":[{"mail":"al\\u0069ce@x.example","n":1.0}],"bob@x.example":true}';
    const { text } = redact(
      answer(
        `{"content":[{"type":"text","text":${JSON.stringify(structured)}}],"structuredContent":${structured}}`,
      ),
      [MAIL],
    );
    const left = '{"people":[{"mail":"[redacted]","n":1.0}]}';
    expect(text).toBe(
      answer(`{"content":[{"type":"text","text":${JSON.stringify(left)}}],"structuredContent":${left}}`),
    );
  });

  it('is found in numbers of structured content, and in JSON within a text whatever its escapes', () => {
    const inner = '{"card":4111111111111111,"note":"4111\\u003111111111111"}';
    const { text } = redact(
      answer(
        `{"content":[{"type":"text","text":${JSON.stringify(inner)}}],"structuredContent":{"a":4111111111111111}}`,
      ),
      [{ name: 'card', pattern: '\\d{16}', replacement: '#' }],
    );
    expect(text).toBe(
      answer(
        `{"content":[{"type":"text","text":${JSON.stringify('{"card":"#","note":"#"}')}}],"structuredContent":{"a":"#"}}`,
      ),
    );
  });

  it('is replaced in errors', () => {
    const { text } = redact(
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no alice@x.example","data":{"who":["alice@x.example"]}}}',
      [MAIL],
    );
    expect(text).toBe(
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no [redacted]","data":{"who":["[redacted]"]}}}',
    );
  });

  it('leaves words of the protocol and binary content', () => {
    const body = answer(
      '{"content":[{"type":"image","data":"dGV4dA==","mimeType":"a/b"}],"resultType":"complete"}',
    );
    expect(redact(body, [{ name: 'any', pattern: 'image|dGV4|complete|content' }]).text).toBe(body);
    const hidden = answer('{"content":[{"type":"alice@x.example","data":"alice@x.example"}]}');
    expect(redact(hidden, [MAIL]).text).not.toContain('alice');
  });

  it('leaves what is no answer: requests and notifications of the server', () => {
    const body = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"message":"alice@x.example"}}';
    expect(redact(body, [MAIL]).text).toBe(body);
  });

  it('takes the body of an HTTP error for no request, though it names a method', () => {
    const body = '{"jsonrpc":"2.0","method":"GET","params":{"by":"alice@x.example"}}';
    expect(redact(body, [MAIL], { isErrorBody: true }).text).toBe(
      body.replace('alice@x.example', '[redacted]'),
    );
  });

  it('takes the id of an error body that answers nothing for data', () => {
    const body = '{"id":"alice@x.example","message":"no such user"}';
    expect(redact(body, [MAIL], { isErrorBody: true }).text).toBe(
      '{"id":"[redacted]","message":"no such user"}',
    );
  });

  it('takes an error with a method beside it for an answer, as a client may', () => {
    const body = '{"method":"GET","error":{"code":1,"message":"no such user: alice@x.example"}}';
    expect(redact(body, [MAIL], { isErrorBody: true }).text).not.toContain('alice');
  });

  it('takes data that is no picture for a text, be it of letters and digits alone', () => {
    const card: Redaction = { name: 'card', pattern: '\\d{16}' };
    const error = '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no","data":"4111111111111111"}}';
    expect(redact(error, [card]).text).not.toContain('4111');
    expect(redact(answer('{"content":[],"data":"4111111111111111"}'), [card]).text).not.toContain('4111');
  });

  it('lets pictures of some megabytes be', () => {
    const body = answer(`{"content":[{"type":"image","data":"${'A'.repeat(8 * 1024 * 1024)}"}]}`);
    expect(redact(body, [MAIL]).text).toBe(body);
  });

  it('concerns the tools it names, and every answer that a resumed stream repeats', () => {
    const body = answer('{"content":[{"type":"text","text":"alice@x.example"}]}');
    const rules = [{ ...MAIL, tools: ['other'] }];
    expect(redact(body, rules).text).toBe(body);
    const { method: _method, ...rest } = ordersOff();
    const plan = planRedaction(guardOf(rules), rest);
    expect(plan?.patterns.map(({ name }) => name)).toEqual(['mail']);
  });
});

describe('a pointer', () => {
  const pointer = (path: string, replacement?: string): Redaction => ({
    name: 'p',
    pointer: path,
    ...(replacement === undefined ? {} : { replacement }),
  });

  it('replaces values, and the texts that repeat them', () => {
    const { text, counts } = redact(
      answer(
        '{"content":[{"type":"text","text":"Alice Smith, 42 (level 421), is in"}],"structuredContent":{"who":{"name":"Alice Smith","age":42},"seats":42,"note":"by Alice Smith"}}',
      ),
      [pointer('/who/*', '-')],
    );
    expect(resultOf(text)).toEqual({
      content: [{ type: 'text', text: '-, - (level 421), is in' }],
      structuredContent: { who: { name: '-', age: '-' }, seats: 42, note: 'by -' },
    });
    expect(counts).toEqual({ p: 5 });
  });

  it('takes out the whole structured content', () => {
    const { text } = redact(
      answer(
        '{"content":[{"type":"text","text":"{\\"a\\":\\"secret\\"}"}],"structuredContent":{"a":"secret"}}',
      ),
      [pointer('')],
    );
    expect(text).toBe(answer('{"content":[{"type":"text","text":"null"}]}'));
  });

  it('of the policy is obeyed like one of a rule', () => {
    const body = answer('{"content":[],"structuredContent":{"a":"secret","__proto__":{"b":"other"}}}');
    const { text, counts } = redact(body, [], { orders: { redact: ['/a', '/__proto__/b'] } });
    expect(text).toBe(
      answer('{"content":[],"structuredContent":{"a":"[redacted]","__proto__":{"b":"[redacted]"}}}'),
    );
    expect(counts).toEqual({ 'policy:redact': 2 });
  });
});

describe('the schema of a result', () => {
  const structured = '{"a":"secret","b":7}';
  const body = answer(
    `{"content":[{"type":"text","text":${JSON.stringify(structured)}}],"structuredContent":${structured}}`,
  );
  const both = [
    { name: 'a', pointer: '/a' },
    { name: 'b', pointer: '/b' },
  ];
  const members = (value: Json) => value as { a?: unknown; b?: unknown };

  it('takes a replacement out where it does not fit', () => {
    const fits = (value: Json) => typeof (members(value).b ?? 0) === 'number';
    const { text } = redact(body, both, { fits });
    const left = '{"a":"[redacted]"}';
    expect(text).toBe(
      answer(`{"content":[{"type":"text","text":${JSON.stringify(left)}}],"structuredContent":${left}}`),
    );
  });

  it('refuses where there is no room for that either', () => {
    expect(redact(body, both, { fits: (value) => typeof members(value).b === 'number' }).text).toBe(
      'redaction',
    );
  });

  it('is not asked of what did not fit before', () => {
    expect(resultOf(redact(body, both, { fits: () => false }).text)['structuredContent']).toEqual({
      a: '[redacted]',
      b: '[redacted]',
    });
  });
});

describe('whatever the answer', () => {
  const SECRET = 'sk-Zz9';
  const withSecret = fc
    .tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))
    .map(([before, after]) => `${before}${SECRET}${after}`);
  const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      withSecret,
      fc.constant(SECRET),
      fc.jsonValue() as fc.Arbitrary<Json>,
      withSecret.map((text) => JSON.stringify({ [text]: [text] })),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.string(), withSecret), tie('tree'), { maxKeys: 3 }),
    ),
  }));

  /** The secret with some of its characters as a server may write them. */
  const escapeSome = (text: string): string => text.replaceAll(SECRET, '\\u0073\\u006b-\\u005Az9');

  it('holds no match of a pattern, in any place or escape', () => {
    fc.assert(
      fc.property(tree, withSecret, fc.boolean(), (data, said, escaped) => {
        const result = {
          content: [
            { type: 'text', text: said },
            { type: 'text', text: JSON.stringify(data) },
            { type: 'resource', resource: { uri: said, text: escapeSome(JSON.stringify([said])) } },
          ],
          structuredContent: { data },
          _meta: { data },
          resultType: 'complete',
        };
        const plain = answer(JSON.stringify(result));
        const { text } = redact(escaped ? escapeSome(plain) : plain, [{ name: 's', pattern: 'sk-Zz9' }]);
        const decoded = JSON.stringify(JSON.parse(text));
        expect(decoded).not.toContain(SECRET);
        expect(
          text.replace(/\\u00([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
        ).not.toContain(SECRET);
      }),
      { numRuns: 300 },
    );
  });

  it('repeats no value that a pointer has taken out', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 6 }), fc.string(), (secret, said) => {
        fc.pre(!'[redacted]'.includes(secret) && secret.trim() === secret);
        const structured = { secret, said: `${said} ${secret}` };
        const result = {
          content: [
            { type: 'text', text: `${said}, ${secret}.` },
            { type: 'text', text: JSON.stringify(structured, null, 2) },
            { type: 'text', text: JSON.stringify({ other: [secret] }) },
          ],
          structuredContent: structured,
        };
        const { text } = redact(answer(JSON.stringify(result)), [{ name: 'p', pointer: '/secret' }]);
        const left = resultOf(text) as { content: { text: string }[]; structuredContent: Json };
        expect(left.content[0]?.text).toBe(`${said}, [redacted].`.replaceAll(secret, '[redacted]'));
        expect(left.structuredContent).toEqual({
          secret: '[redacted]',
          said: `${said} [redacted]`.replaceAll(secret, '[redacted]'),
        });
        expect(JSON.parse(left.content[1]?.text ?? '')).toEqual(left.structuredContent);
        expect(JSON.parse(left.content[2]?.text ?? '')).toEqual({ other: ['[redacted]'] });
      }),
      { numRuns: 300 },
    );
  });
});
