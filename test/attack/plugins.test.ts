// Plug-ins that misbehave, in the real service behind the real Envoy: the answer that such a one was to look through is
// refused, in its time, and all others go on as if there were none.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Detector } from '#ext-proc/sanitation/detector.ts';
import { answerRules } from '#test/support/answer-rules.ts';
import { type GuardBench, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createTestGuard, type TestGuard } from '#test/support/ext-proc-guard.ts';
import { callGuarded, openCall, ordersOff } from '#test/support/guarded-call.ts';
import {
  ACME_CODES,
  createPluginFolder,
  type PluginFolder,
  type RunningPlugins,
  runPlugins,
} from '#test/support/plugin-folder.ts';

const BAD = 'bad 4711-kx';
const GOOD = 'project ACME-2041-KX';

/** Finds nothing, but when it is shown a text that begins with `bad`. */
const onBad = (act: string, before = ''): string =>
  `${before}\nexport const scan = (text) => { if (text.startsWith('bad')) { ${act} } return []; };`;

const FS = `import { closeSync, writeSync } from 'node:fs';`;

const finding = (kind: string, start: string, end: string) =>
  onBad(`return [{ kind: ${kind}, start: ${start}, end: ${end} }];`);

/** What it does, its code, and how that is counted. */
const HOSTILE: readonly (readonly [name: string, code: string, outcome: RegExp])[] = [
  ['loops', onBad('for (;;);'), /overdue/],
  ['loops later', onBad('return new Promise(() => setTimeout(() => { for (;;); }));'), /overdue/],
  ['backtracks', onBad(`return /^(a+)+$/.exec('a'.repeat(60) + '!');`), /overdue/],
  ['keeps a promise open', onBad('setInterval(() => {}, 9); return new Promise(() => {});'), /overdue/],
  ['forgets a promise', onBad('return new Promise(() => {});'), /crashed/],
  // Whichever comes first: its limit, V8's, or the time.
  [
    'fills its heap',
    onBad('const all = []; for (;;) all.push(new Array(1000).fill({}));'),
    /memory|crashed|overdue/,
  ],
  ['fills buffers', onBad('const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1));'), /memory/],
  ['recurses', onBad('const deeper = () => deeper() + 1; deeper();'), /threw/],
  ['exits', onBad('process.exit(0);'), /crashed/],
  ['aborts', onBad('process.abort();'), /crashed/],
  ['throws', onBad('throw new Error(text);'), /threw/],
  ['throws nothing', onBad('throw undefined;'), /threw/],
  ['rejects', onBad('return Promise.reject(new Error(text));'), /threw/],
  [
    'throws later',
    onBad('setTimeout(() => { throw new Error(text); }); return new Promise(() => {});'),
    /crashed/,
  ],
  ['returns nothing', onBad('return undefined;'), /malformed/],
  ['returns the text', onBad('return text;'), /malformed/],
  ['returns itself', onBad('const all = []; all.push(all); return all;'), /malformed/],
  ['finds behind the end', finding(`'word'`, '0', 'text.length + 1'), /malformed/],
  ['finds before the start', finding(`'word'`, '-1', '2'), /malformed/],
  ['finds nothing at all', finding(`'word'`, '2', '2'), /malformed/],
  ['finds backwards', finding(`'word'`, '3', '1'), /malformed/],
  ['finds half a letter', finding(`'word'`, '0.5', '2'), /malformed/],
  ['finds to infinity', finding(`'word'`, '0', 'Infinity'), /malformed/],
  ['finds at no number', finding(`'word'`, 'NaN', '2'), /malformed/],
  ['finds at words', finding(`'word'`, `'0'`, `'2'`), /malformed/],
  ['finds of another kind', finding(`'secrets'`, '0', '2'), /malformed/],
  ['finds of an object', finding(`{ toString: () => 'word' }`, '0', '2'), /malformed/],
  ['finds too much', onBad(`return Array(10_001).fill({ kind: 'word', start: 0, end: 1 });`), /malformed/],
  [
    'finds without an end',
    onBad(`return new Proxy([], { get: (_, key) => (key === 'length' ? 1e9 : {}) });`),
    /malformed/,
  ],
  ['throws from a getter', onBad('return [{ get kind() { throw new Error(text); } }];'), /threw/],
  ['loops in a getter', onBad('return [{ get kind() { for (;;); } }];'), /overdue/],
  [
    'changes prototypes',
    onBad(`Array.prototype.every = () => true; return [{ kind: 'word', start: 3, end: 1 }];`),
    /malformed/,
  ],
  ['floods', onBad('const all = Buffer.alloc(1 << 16, text); for (;;) writeSync(3, all);', FS), /forged/],
  ['forges', onBad('writeSync(3, Buffer.alloc(8, 9)); for (;;);', FS), /forged/],
  ['forges a part', onBad('writeSync(3, Buffer.from([3, 0, 0])); for (;;);', FS), /overdue/],
  ['closes its channel', onBad('closeSync(3);', FS), /crashed/],
];

const LIMITS = { timeoutMs: 1_500, memoryMib: 192 };

let folder: PluginFolder;
let acme: RunningPlugins;
/** The one that misbehaves, for one test. */
let hostile: RunningPlugins;
let guard: TestGuard;
let bench: GuardBench;

const HOSTILE_ONE: Detector = {
  name: 'plugin:hostile',
  kinds: ['word'],
  scan: (text, options) => hostile.detectors[0]?.scan(text, options) ?? Promise.reject(new Error('none')),
};

beforeAll(async () => {
  folder = await createPluginFolder();
  acme = await runPlugins([ACME_CODES]);
  const detectors = [...acme.detectors, HOSTILE_ONE];
  guard = createTestGuard({ maxBodyBytes: 200_000, maxEventBytes: 50_000 }, detectors);
  bench = await startGuardBench(guard.start);
  // What is to be answered travels in the path.
  bench.server = (request, response) => {
    const text = decodeURIComponent(request.url?.slice(1) ?? '');
    const body = { jsonrpc: '2.0', id: 'call-1', result: { content: [{ type: 'text', text }] } };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
});
afterAll(async () => {
  await bench?.stop();
  acme?.stop();
  await folder?.remove();
});
beforeEach(() => guard.reset());
afterEach(() => hostile?.stop());

const startHostile = async (code: string): Promise<void> => {
  await folder.write('hostile', code);
  hostile = await runPlugins(['./hostile'], { ...LIMITS, from: folder.path });
};

/** A tool per plug-in: rules of the one are none of the other's business. */
const useRules = (): void => {
  guard.rules = answerRules({
    guard: {
      findings: [
        { detector: 'plugin:hostile', action: 'mark', tools: ['hostile'] },
        { detector: 'plugin:acme-codes', action: 'redact', tools: ['acme'] },
        { detector: 'plugin:absent', action: 'allow', tools: ['absent'] },
      ],
    },
  });
};

const urlOf = (text: string): string => `${bench.url}/${encodeURIComponent(text)}`;
const ordersFor = (tool: string) => ordersOff({ guard: 'rules', tool });
const call = (tool: string, text: string) => callGuarded(urlOf(text), ordersFor(tool));

const textOf = (answer: { readonly text: string }): unknown =>
  JSON.parse(answer.text).result?.content[0].text ?? 'refused';

const outcomes = async (): Promise<readonly string[]> =>
  [...(await hostile.metricsText()).matchAll(/plugin_scans_total\{.*outcome="(\w+)".*\} [1-9]/g)].map(
    ([, outcome = '']) => outcome,
  );

describe('a plug-in that', () => {
  it.each(HOSTILE)('%s', async (_, code, outcome) => {
    useRules();
    await startHostile(code);
    expect(textOf(await call('hostile', 'good'))).toBe('good');

    const bad = openCall(urlOf(BAD), ordersFor('hostile'));
    let settled = false;
    void bad.answer.then(() => {
      settled = true;
    });
    const others = await Promise.all([call('acme', GOOD), call('acme', GOOD), call('free', GOOD)]);
    const stillOpen = !settled;
    expect(others.map(textOf)).toEqual([
      'project [redacted:project-code]',
      'project [redacted:project-code]',
      GOOD,
    ]);
    const refused = await bad.answer;
    expect(refused.text).not.toContain(BAD);
    expect(JSON.parse(refused.text)).toMatchObject({ id: 'call-1', error: {} });
    expect(guard.logged('answer refused')).toMatchObject([{ fault: 'plugin_failed' }]);
    const counted = (await outcomes()).filter((one) => one !== 'ok');
    expect(counted).toHaveLength(1);
    expect(counted[0]).toMatch(outcome);
    if (counted[0] === 'overdue') expect(stillOpen).toBe(true);

    expect(textOf(await call('hostile', 'good'))).toBe('good');
    const said = hostile.logLines.map((line) => JSON.parse(line));
    expect(said).toMatchObject([
      { message: 'plug-in loaded' },
      { message: 'plug-in failed', plugin: 'hostile', outcome: counted[0] },
    ]);
    expect(hostile.logLines.join('') + guard.logText()).not.toContain('4711');
  });

  it('is not there is a plug-in that failed, whatever the rule would do about its findings', async () => {
    useRules();
    expect(textOf(await call('absent', 'good'))).toBe('refused');
    expect(guard.logged('answer refused')).toMatchObject([{ fault: 'plugin_failed' }]);
  });

  it('fails again and again is started after longer and longer times, and refuses at once meanwhile', async () => {
    await startHostile(onBad('process.exit(1);'));
    for (let time = 0; time < 4; time += 1) {
      await expect.poll(() => hostile.facts()).toMatchObject({ plugins: [{ state: 'ready' }] });
      await expect(hostile.scan('hostile', BAD)).rejects.toThrow('plug-in hostile: crashed');
    }
    expect(hostile.facts()).toMatchObject({ plugins: [{ state: 'resting', restarts: 4 }] });
    await expect(hostile.scan('hostile', 'good')).rejects.toThrow('plug-in hostile: away');
    const rests = hostile.logLines.map((line) => JSON.parse(line).restartMs).slice(1);
    expect(rests).toEqual([0, 100, 200, 400]);
    await expect.poll(() => hostile.facts()).toMatchObject({ plugins: [{ state: 'ready' }] });
    expect(await hostile.scan('hostile', 'good')).toEqual([]);
    expect(await hostile.metricsText()).toMatch(/plugin_restarts_total\{plugin="hostile".*\} 4/);
  });

  it('is asked more than it can answer refuses what is too much', async () => {
    await startHostile(onBad('return new Promise((resolve) => setTimeout(resolve, 500, []));'));
    const scans = await Promise.allSettled(
      Array.from({ length: 80 }, (_, index) => hostile.scan('hostile', index === 0 ? BAD : 'good')),
    );
    const rejected = scans.filter(({ status }) => status === 'rejected');
    expect(rejected).toHaveLength(80 - 1 - 64);
    expect(await hostile.metricsText()).toMatch(/plugin_scans_total\{plugin="hostile",outcome="busy".*\} 15/);
  });
});
