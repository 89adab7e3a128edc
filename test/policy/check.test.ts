// `npm run policy:check` names every fault where it is, and what to do; and passes what is sound.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandOf, type Ended } from '#test/support/documented-commands.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-check-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
};

const check = async (...args: readonly string[]): Promise<Ended> => {
  const [file = '', ...rest] = commandOf('policy:check');
  try {
    const env = { ...process.env, INIT_CWD: directory };
    return { code: 0, ...(await promisify(execFile)(file, [...rest, ...args], { env })) };
  } catch (thrown) {
    return thrown as Ended;
  }
};

const SOUND = `# Nobody deletes on Sundays, said the steering group.
package mcp.authz.constraint

import data.mcp.lib.clock
import data.mcp.lib.tool

violated contains "no-deleting-on-sundays" if {
	tool.destructive(input.tool)
	clock.within({"days": ["sun"], "from": "00:00", "to": "23:59"})
}
`;

const SOUND_TEST = `# On Sundays only.
package sundays_test

import data.mcp.authz.constraint

names(day) := found if {
	found := constraint.violated with input.tool as {"name": "purge"} with input.request.time as day
}

test_sunday if names("2026-07-26T12:00:00.000Z") == {"no-deleting-on-sundays"}

test_monday if names("2026-07-27T12:00:00.000Z") == set()
`;

const rule = (body: string, head = 'violated contains "x"') =>
  `# About x.\npackage mcp.authz.constraint\n\n${head} if {\n\t${body}\n}\n`;

describe('policy:check', () => {
  it('finds no fault in what comes with the product', async () => {
    const { code, stdout } = await check();
    expect(stdout).toMatch(/^policy:check: no faults, \d\d tests, coverage 100\.0 % \(at least 90\)\n$/);
    expect(code).toBe(0);
  });

  it('passes sound rules of an author, measured by their own tests', async () => {
    write('rules/sundays.rego', SOUND);
    write('rules/sundays_test.rego', SOUND_TEST);
    const { code, stdout } = await check('--rules', 'rules', '--coverage', '100');
    expect(stdout).toMatch(/^policy:check: no faults, 2 tests, coverage 100\.0 % \(at least 100\)\n$/);
    expect(code).toBe(0);
  });

  it.each<[string, string, RegExp]>([
    [
      'a builtin that WASM lacks',
      rule('time.now_ns() > 3'),
      /:5: undefined function time\.now_ns\. A policy has no clock/,
    ],
    [
      'a network call',
      rule('http.send({}).status_code == 200'),
      /:5: undefined function http\.send\. A policy has no network/,
    ],
    ['sprintf', rule('sprintf("%v", [input.tenant]) == "a"'), /:5: undefined function sprintf\. Use concat/],
    [
      'a function nobody defined',
      rule('frobnicate(input.tenant)'),
      /:5: undefined function frobnicate\. Define it/,
    ],
    [
      'a field the input does not have',
      rule('"a" in input.identity.gruops'),
      /:5: undefined ref: input\.identity\.gruops.* Correct the name: policies\/input\.schema\.json/,
    ],
    [
      'an import that is not used',
      `# x\npackage x\n\nimport data.mcp.lib.clock\n\ny := 1\n`,
      /:4: import .* unused\. Take it out/,
    ],
    ['half a rule', `# x\npackage x\n\ny if {\n`, /:5: unexpected eof token/],
    [
      'blanks',
      `# x\npackage mcp.authz.grant\n\npermits_tool(_)  if input.tenant == "a"\n`,
      /:4: not formatted\. npm run policy:check -- --write/,
    ],
    ['no word on what it is for', `package x\n\ny := 1\n`, /:1: the file does not say what it is for/],
    [
      'a default that opens',
      `# x\npackage x\n\ndefault y := true\n\ny if input.tenant == "a"\n`,
      /:4: a rule is true by default/,
    ],
    [
      'a constraint that is misspelt and would refuse nobody',
      rule('input.tenant == "a"', 'violates contains "x"'),
      /:4: no decision depends on mcp\.authz\.constraint\.violates\. Correct its package or name/,
    ],
    [
      'an order nobody carries out',
      `# x\npackage mcp.authz.obligation\n\nrewrite contains "/secret" if input.tenant == "a"\n`,
      /:4: no decision depends on mcp\.authz\.obligation\.rewrite/,
    ],
    [
      'a name that cannot be shown',
      rule('input.tenant == "a"', 'violated contains "Not Today!"'),
      /:4: the constraint's name "Not Today!" cannot be shown/,
    ],
    [
      'a grant that looks at arguments',
      `# x\npackage mcp.authz.grant\n\npermits_tool(_) if input.call.arguments.x == 1\n`,
      /:4: grant rules must not depend on .*reads input\.call\.arguments\.x\. Move the condition to a constraint/,
    ],
    [
      'a grant that opens what a vector refuses',
      `# x\npackage mcp.authz.grant\n\npermits_tool(_) if input.tenant == "default"\n`,
      /vectors\/\S+\.json:1: ".*" is answered .*Correct the rule, or, if/,
    ],
    ['lines no test reaches', rule('input.tenant == "acme"'), /:4: no test reaches this line\. Write a test/],
  ])('names %s', async (_title, text, expected) => {
    write('rules/mine.rego', text);
    const { code, stdout, stderr } = await check('--rules', 'rules');
    expect(stdout, stderr).toMatch(expected);
    expect(stdout).not.toContain('\u001b');
    expect(code).toBe(1);
  });

  it.each<[string, string, RegExp]>([
    [
      'fails',
      'test_no if false',
      /^rules\/mine_test\.rego:4: test_no fails\. Correct the rule or the test\.\n/,
    ],
    ['is not run', 'todo_test_no if false', /^rules\/mine_test\.rego:4: todo_test_no is not run\./],
  ])('names a test that %s', async (_title, test, expected) => {
    write('rules/mine_test.rego', `# x\npackage mine_test\n\n${test}\n`);
    const { code, stdout } = await check('--rules', 'rules');
    expect(stdout).toMatch(expected);
    expect(code).toBe(1);
  });

  it('notes which questions of the platform its rules answer otherwise by refusing more', async () => {
    write('rules/mine.rego', rule('input.identity.app == "app-cli"'));
    write(
      'rules/mine_test.rego',
      '# x\npackage mine_test\n\ntest_x if data.mcp.authz.constraint.violated == {"x"} with input.identity.app as "app-cli"\n',
    );
    const { code, stdout } = await check('--rules', 'rules');
    expect(stdout).toMatch(
      /^note: your rules change \d+ of the \d+ vectors of the platform, which will not be/,
    );
    expect(code).toBe(0);
  });

  it('formats what it is told to write', async () => {
    write('rules/mine.rego', '# x\npackage x\n\ny  := 1\n');
    await check('--rules', 'rules', '--write');
    expect(readFileSync(join(directory, 'rules/mine.rego'), 'utf8')).toBe('# x\npackage x\n\ny := 1\n');
  });

  it('says in one line that it could not check', async () => {
    const { code, stdout, stderr } = await check('--rules', 'nowhere');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^--rules: there is no folder .*nowhere\n$/);
    expect((await check('--coverage', 'all')).stderr).toMatch(/percentage/);
  });
});
