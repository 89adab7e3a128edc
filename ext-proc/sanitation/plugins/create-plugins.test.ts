// Plug-ins in their processes: what they are given and may do, how they are found, and what keeps a gateway from starting.

import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  ACME_CODES,
  createPluginFolder,
  type PluginFolder,
  type RunningPlugins,
  runPlugins,
} from '#test/support/plugin-folder.ts';

const FINDS_WORD = `export const scan = (text) => {
  const start = text.indexOf('word');
  return start < 0 ? [] : [{ kind: 'word', start, end: start + 4 }];
};`;

let folder: PluginFolder;
let plugins: RunningPlugins | undefined;

beforeAll(async () => {
  folder = await createPluginFolder();
});
afterAll(() => folder.remove());
afterEach(() => plugins?.stop());

const run = async (...args: Parameters<typeof runPlugins>): Promise<RunningPlugins> => {
  plugins = await runPlugins(...args);
  return plugins;
};

describe('a plug-in', () => {
  it('is found by folder and told in the facts', async () => {
    const { detectors, facts } = await run([ACME_CODES]);
    expect(detectors.map(({ name, kinds }) => ({ name, kinds }))).toEqual([
      { name: 'plugin:acme-codes', kinds: ['project-code', 'cost-centre'] },
    ]);
    expect(facts()).toEqual({
      plugins: [{ name: 'acme-codes', version: '1.0.0', state: 'ready', restarts: 0 }],
    });
  });

  it('finds in texts of any letters, one after another and at the same time', async () => {
    await folder.write('word', FINDS_WORD);
    const { scan } = await run(['./word'], { from: folder.path });
    expect(await scan('word', 'a word')).toEqual([{ kind: 'word', start: 2, end: 6 }]);
    const texts = ['', 'none', '\ud800 word', '🂡 word', `${'x'.repeat(300_000)}word`];
    expect(await Promise.all(texts.map((text) => scan('word', text)))).toEqual([
      [],
      [],
      [{ kind: 'word', start: 2, end: 6 }],
      [{ kind: 'word', start: 3, end: 7 }],
      [{ kind: 'word', start: 300_000, end: 300_004 }],
    ]);
  });

  it('may answer later, may be CommonJS, and is told the options of the rules', async () => {
    const path = await folder.write('later', '', { entry: 'main.cjs' });
    await writeFile(
      join(path, 'main.cjs'),
      `exports.scan = async (text, { countries }) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return countries.map((_, index) => ({ kind: 'word', start: index, end: index + 1 }));
      };`,
    );
    const { detectors } = await run([path]);
    expect(await detectors[0]?.scan('abc', { countries: ['DE', 'FR'] })).toEqual([
      { kind: 'word', start: 0, end: 1 },
      { kind: 'word', start: 1, end: 2 },
    ]);
  });

  it('is found as an npm package, and may use those it lies among', async () => {
    await folder.write('node_modules/dictionary', `export const word = 'word';`);
    await writeFile(
      join(folder.path, 'node_modules/dictionary/package.json'),
      JSON.stringify({ name: 'dictionary', exports: './index.mjs' }),
    );
    await folder.write(
      'node_modules/@acme/words',
      `import { word } from 'dictionary';
       export const scan = (text) => [{ kind: word, start: 0, end: text.length }];`,
    );
    const { scan } = await run(['@acme/words'], { from: join(folder.path, 'deeper') });
    expect(await scan('words', 'abc')).toEqual([{ kind: 'word', start: 0, end: 3 }]);
  });

  it('has no environment, no files but its own, no processes, no signals and no way to print', async () => {
    await folder.write(
      'curious',
      `import { execFileSync } from 'node:child_process';
       import { readFileSync, writeFileSync, writeSync } from 'node:fs';
       import { Worker } from 'node:worker_threads';
       const fails = (attempt) => { try { attempt(); return 0; } catch { return 1; } };
       export const scan = (text) => {
         console.log(text); console.error(text); writeSync(1, text); writeSync(2, text);
         const failed = [
           () => readFileSync('/etc/hosts'),
           () => writeFileSync(new URL('./x', import.meta.url), text),
           () => execFileSync('echo'),
           () => new Worker('1', { eval: true }),
           () => process.kill(process.ppid, 0),
         ].map(fails).reduce((sum, one) => sum + one, 0);
         readFileSync(new URL('./package.json', import.meta.url));
         return [{ kind: 'word', start: Object.keys(process.env).length, end: failed }];
       };`,
    );
    const { scan, logLines } = await run(['./curious'], { from: folder.path });
    expect(await scan('curious', 'confidential')).toEqual([{ kind: 'word', start: 0, end: 5 }]);
    expect(logLines.join('')).not.toContain('confidential');
  });

  it('is started again when the machine has a process to give again', async () => {
    await folder.write('mortal', 'export const scan = (text) => (text === "die" ? process.exit(0) : []);');
    const { scan, facts } = await run(['./mortal'], { from: folder.path });
    const { execPath } = process;
    process.execPath = join(folder.path, 'absent');
    try {
      await expect(scan('mortal', 'die')).rejects.toThrow('plug-in mortal: crashed');
      await expect.poll(facts).toMatchObject({ plugins: [{ state: 'resting', restarts: 3 }] });
    } finally {
      process.execPath = execPath;
    }
    await expect.poll(facts).toMatchObject({ plugins: [{ state: 'ready' }] });
    expect(await scan('mortal', 'live')).toEqual([]);
  });

  it('is counted by outcome', async () => {
    await folder.write(
      'moody',
      `export const scan = (text) => { if (text === 'bad') throw text; return []; }`,
    );
    const { scan, metricsText, logLines } = await run(['./moody'], { from: folder.path });
    await scan('moody', 'good');
    await expect(scan('moody', 'bad')).rejects.toThrow('plug-in moody: threw');
    await scan('moody', 'good');
    const text = await metricsText();
    expect(text).toContain('ext_proc_plugin_scans_total{plugin="moody",outcome="ok",service="ext-proc"} 2');
    expect(text).toContain(
      'ext_proc_plugin_scans_total{plugin="moody",outcome="threw",service="ext-proc"} 1',
    );
    expect(text).toContain('ext_proc_plugin_restarts_total{plugin="moody",service="ext-proc"} 0');
    expect(text).toMatch(/^mcpgw_ext_proc_plugin_scan_duration_seconds_count\{.*plugin="moody".*\} 3$/m);
    expect(logLines.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'plug-in loaded', plugin: 'moody', version: '1.2.3' },
      { message: 'plug-in failed', plugin: 'moody', outcome: 'threw' },
    ]);
  });
});

describe('a gateway does not start', () => {
  const refusal = (named: readonly string[]): Promise<{ code: string; message: string }> =>
    run(named, { from: folder.path }).then(
      () => expect.fail('it started'),
      (thrown) => ({ code: thrown.code, message: thrown.message.replaceAll(folder.path, '') }),
    );

  it.each([
    [{ apiVersion: 2 }, 'mcpgwPlugin/apiVersion'],
    [{ name: 'Upper' }, 'mcpgwPlugin/name'],
    [{ kinds: [] }, 'mcpgwPlugin/kinds'],
    [{ kinds: ['a', 'a'] }, 'mcpgwPlugin/kinds'],
    [{ kinds: ['ok', 'not ok'] }, 'mcpgwPlugin/kinds/1'],
    [{ entry: 7 }, 'mcpgwPlugin/entry'],
    [{ entry: 'gone.mjs' }, 'mcpgwPlugin/entry must be a file inside of /odd'],
    [{ entry: '.' }, 'mcpgwPlugin/entry must be a file inside of /odd'],
    [{ entry: '../outside.mjs' }, 'mcpgwPlugin/entry must be a file inside of /odd'],
    [{ entry: 'link.mjs' }, 'mcpgwPlugin/entry must be a file inside of /odd'],
    [{ timeout: 5 }, 'mcpgwPlugin/timeout is not known'],
  ])('with the manifest %j', async (manifest, place) => {
    const path = await folder.write('odd', FINDS_WORD, manifest);
    await writeFile(join(folder.path, 'outside.mjs'), FINDS_WORD);
    await symlink(join(folder.path, 'outside.mjs'), join(path, 'link.mjs')).catch(() => undefined);
    const { code, message } = await refusal(['./odd']);
    expect(code).toBe('config_invalid');
    expect(message).toContain('EXT_PROC_PLUGINS: ./odd: /odd/package.json: ');
    expect(message).toContain(place);
  });

  it.each([
    ['export const search = () => [];', 'its entry exports no function scan'],
    [`throw new Error('no licence');`, 'no licence'],
    [`import 'left-out';`, `Cannot find package 'left-out'`],
    ['syntax error', 'Unexpected identifier'],
    ['process.exit(0);', 'its process ended while it was loaded'],
    [`import { writeSync } from 'node:fs'; writeSync(3, 'hello, gateway');`, 'it writes to the channel'],
  ])('with the entry %s', async (code, why) => {
    await folder.write('entry', code);
    const { message } = await refusal(['./entry']);
    expect(message).toContain('EXT_PROC_PLUGINS: entry: /entry/index.mjs cannot be loaded: ');
    expect(message).toContain(why);
  });

  it('with a package that is not there, a name that is none, no manifest, or two of one name', async () => {
    expect((await refusal(['absent'])).message).toContain(
      'EXT_PROC_PLUGINS: absent: there is no such package',
    );
    expect((await refusal(['a/../b'])).message).toContain('is neither the name of an npm package nor a path');
    expect((await refusal(['./absent'])).message).toContain('there is no folder /absent');
    await folder.write('plain', FINDS_WORD);
    await writeFile(join(folder.path, 'plain/package.json'), '{}');
    expect((await refusal(['./plain'])).message).toContain('/plain/package.json: has no member mcpgwPlugin');
    await folder.write('one', FINDS_WORD, { name: 'twin' });
    await folder.write('two', FINDS_WORD, { name: 'twin' });
    expect((await refusal(['./one', './two'])).message).toContain(
      './two: /two/package.json: mcpgwPlugin/name twin is the name of /one too',
    );
  });
});
