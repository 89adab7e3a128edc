// Results of tools held against the schemas they were approved with, through the real Envoy: as JSON and as server-sent
// events, in both eras, in each mode.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '#core/json.ts';
import type { ProtocolEra } from '#core/mcp-call.ts';
import type { ServerResponseGuard } from '#core/response-guard.ts';
import { answerRules, pinnedTool } from '#test/support/answer-rules.ts';
import { type GuardBench, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createTestGuard, type TestGuard } from '#test/support/ext-proc-guard.ts';
import { callGuarded, ordersOff } from '#test/support/guarded-call.ts';

const OUTPUT_INVALID = -31508;
const MARKER = 'marker-of-the-server';

const FORECAST = pinnedTool('forecast', {
  outputSchema: {
    type: 'object',
    properties: { degrees: { type: 'number' }, towns: { additionalProperties: { type: 'string' } } },
    required: ['degrees'],
    additionalProperties: false,
  },
});

let bench: GuardBench;
let guard: TestGuard;

beforeAll(async () => {
  guard = createTestGuard({ maxBodyBytes: 200_000, maxEventBytes: 100_000 });
  bench = await startGuardBench(guard.start);
});
afterAll(() => bench?.stop());
beforeEach(() => guard.reset());

const set = (settings: ServerResponseGuard = {}, tool = FORECAST): void => {
  guard.rules = answerRules({ tools: [tool], tool: tool.name, guard: settings });
};

const message = (result: Json, id: Json = 'call-1'): string => JSON.stringify({ jsonrpc: '2.0', id, result });

const structured = (structuredContent: Json): JsonObject => ({
  content: [{ type: 'text', text: MARKER }],
  structuredContent,
});

const FORMS = {
  JSON: (texts: readonly string[]) => ({ type: 'application/json', body: texts[0] ?? '' }),
  SSE: (texts: readonly string[]) => ({
    type: 'text/event-stream',
    body: texts.map((text) => `event: message\ndata: ${text}\n\n`).join(''),
  }),
} as const;
const ERAS: readonly ProtocolEra[] = ['legacy', 'stateless'];
const WAYS = (['JSON', 'SSE'] as const).flatMap((form) => ERAS.map((era) => ({ form, era })));

type Way = (typeof WAYS)[number];

/** The messages that a client gets of what the server says. */
const call = async ({ form, era }: Way, ...said: readonly string[]): Promise<readonly JsonObject[]> => {
  const { type, body } = FORMS[form](said);
  bench.server = (_, response) => void response.writeHead(200, { 'content-type': type }).end(body);
  const { text } = await callGuarded(bench.url, ordersOff({ guard: 'rules', tool: 'forecast', era }));
  const texts = form === 'JSON' ? [text] : [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => data ?? '');
  return texts.map((one) => JSON.parse(one) as JsonObject);
};

const refusal = { jsonrpc: '2.0', id: 'call-1', error: expect.objectContaining({ code: OUTPUT_INVALID }) };

describe.each(WAYS)('as $form, $era', (way) => {
  it('what fits passes as it came', async () => {
    set();
    const fits = message(structured({ degrees: 7, towns: { Rome: 'warm' } }));
    expect(await call(way, fits)).toEqual([JSON.parse(fits)]);
    expect(guard.logged('answer does not fit')).toEqual([]);
  });

  it.each<[string, Json, JsonObject]>([
    [
      'of another type',
      structured({ degrees: MARKER }),
      { pointer: '/structuredContent/degrees', keyword: 'type' },
    ],
    [
      'with more than was approved',
      structured({ degrees: 1, [MARKER]: 1 }),
      { pointer: '/structuredContent/*', keyword: 'additionalProperties' },
    ],
    [
      'under keys of its own',
      structured({ degrees: 1, towns: { [MARKER]: 1 } }),
      { pointer: '/structuredContent/towns/*', keyword: 'type' },
    ],
    [
      'missing',
      { content: [{ type: 'text', text: MARKER }] },
      { pointer: '/structuredContent', keyword: 'required' },
    ],
    ['called a list', { tools: [], content: [] }, { pointer: '/structuredContent', keyword: 'required' }],
    [
      'called a question',
      { resultType: 'input_required', ...structured({ degrees: MARKER }) },
      { pointer: '/structuredContent/degrees', keyword: 'type' },
    ],
    [
      'beside blocks that are none',
      { content: [MARKER], structuredContent: { degrees: 1 } },
      { what: 'content' },
    ],
  ])('structured content %s is refused, and told by the words of the schema', async (_, result, told) => {
    set();
    expect(await call(way, message(result))).toEqual([refusal]);
    expect(guard.logged('answer does not fit')).toMatchObject([
      { ...told, mode: 'refuse', tool: 'forecast' },
    ]);
    expect(guard.logged('answer refused')).toMatchObject([{ reason: 'output_invalid', fault: 'schema' }]);
    expect(guard.logText()).not.toContain(MARKER);
  });

  it('passes where it is to be reported, and is counted', async () => {
    set({ results: 'report' });
    const unfit = message(structured({ degrees: MARKER }));
    expect(await call(way, unfit)).toEqual([JSON.parse(unfit)]);
    expect(guard.logged('answer does not fit')).toMatchObject([{ mode: 'report', keyword: 'type' }]);
    expect(guard.logText()).not.toContain(MARKER);
    expect(await guard.metricsText()).toMatch(
      /ext_proc_unfit_messages_total\{[^}]*what="schema",verdict="invalid",mode="report"/,
    );
  });

  it('passes unseen where nobody asks', async () => {
    set({ results: 'off' });
    const unfit = message(structured({ degrees: MARKER }), 'another');
    expect(await call(way, unfit)).toEqual([JSON.parse(unfit)]);
    expect(guard.logText()).toBe('');
  });

  it("an error of the tool's own is never replaced", async () => {
    set();
    const failed = message({ isError: true, content: [{ type: 'text', text: 'no such town' }] });
    expect(await call(way, failed)).toEqual([JSON.parse(failed)]);
    const refused = JSON.stringify({ jsonrpc: '2.0', id: 'call-1', error: { code: -32000, message: 'no' } });
    expect(await call(way, refused)).toEqual([JSON.parse(refused)]);
    const unread = JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'no' } });
    expect(await call(way, unread)).toEqual([JSON.parse(unread)]);
  });

  it('an answer under another id is refused', async () => {
    set();
    for (const id of ['another', 1, null]) {
      expect(await call(way, message(structured({ degrees: 1 }), id))).toEqual([refusal]);
    }
    expect(guard.logged('answer refused')).toMatchObject(Array(3).fill({ fault: 'message_id' }));
  });

  it('what redaction leaves fits, or does not go out', async () => {
    const redactions = [{ name: 'degrees', pointer: '/degrees' }];
    set({ redactions });
    expect(await call(way, message(structured({ degrees: 7 })))).toMatchObject([{ id: 'call-1', error: {} }]);
    set({ redactions: [{ name: 'towns', pointer: '/towns' }] });
    const [left] = await call(way, message(structured({ degrees: 7, towns: { Rome: 'warm' } })));
    expect(left?.['result']).toMatchObject({ structuredContent: { degrees: 7 } });
  });

  it('a text that no longer fits once something was taken out of it does not go out', async () => {
    const word = 'ab\u200bcd';
    const outputSchema = { type: 'object', properties: { word: { const: word } } };
    set(
      { findings: [{ detector: 'hidden-text', action: 'redact' }] },
      pinnedTool('forecast', { outputSchema }),
    );
    expect(await call(way, message({ content: [], structuredContent: { word } }))).toEqual([refusal]);
    expect(guard.logged('answer does not fit')).toMatchObject([{ keyword: 'const', edited: true }]);
  });
});

describe('a stream', () => {
  const way: Way = { form: 'SSE', era: 'legacy' };

  it('keeps what comes before the result, and ends at a result that does not fit', async () => {
    set();
    const progress = JSON.stringify({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: 1, progress: 1 },
    });
    const asked = JSON.stringify({ jsonrpc: '2.0', id: 'server-1', method: 'ping' });
    const got = await call(
      way,
      progress,
      asked,
      message(structured({ degrees: MARKER })),
      message(structured({ degrees: 1 })),
    );
    expect(got).toEqual([JSON.parse(progress), JSON.parse(asked), refusal]);
  });

  it('brings one result, and no second', async () => {
    set();
    const first = message(structured({ degrees: 1 }));
    expect(await call(way, first, message(structured({ degrees: 2 })))).toEqual([JSON.parse(first), refusal]);
    expect(guard.logged('answer does not fit')).toMatchObject([{ what: 'message_id' }]);
  });
});
