// The shell commands of a page, run as they stand: one shell for the whole page, in a directory of its own, that ends at
// the first command that fails.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '#test/support/product-process.ts';

/** The blocks of shell in a page, in their order, each with the heading it stands under. */
export const shellBlocks = (page: string): readonly { readonly heading: string; readonly block: string }[] =>
  page.split(/^## /m).flatMap((section) => {
    const [heading = ''] = section.split('\n');
    return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => ({ heading, block }));
  });

const SCRIPTS = (
  JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  }
).scripts;

/** What `npm run` would run, without the look at node_modules that comes before it. */
export const commandOf = (script: string): readonly string[] => {
  const [, program = ''] = (SCRIPTS[script] ?? '').split(' -- ');
  const [file = '', ...args] = program.split(' ');
  return [process.execPath, '--disable-warning=ExperimentalWarning', join(ROOT, file), ...args];
};

/** A stand-in for `npm run -s {script} [-- …]` that finds these scripts only. */
const npmFor = (scripts: readonly string[]): string => `npm() {
  script="$3"; shift 3
  if [ "\${1:-}" = -- ]; then shift; fi
  case "$script" in
${scripts.map((script) => `    ${script}) ${commandOf(script).join(' ')} "$@" ;;`).join('\n')}
    *) echo "no script $script" >&2; return 1 ;;
  esac
}
`;

export type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs commands in `directory`; `### {heading}` precedes the output of each block. */
export const runCommands = async (
  blocks: ReturnType<typeof shellBlocks>,
  options: {
    readonly directory: string;
    readonly scripts: readonly string[];
    readonly variables: Readonly<Record<string, string>>;
  },
): Promise<Ended> => {
  const marked = blocks.map(
    ({ heading, block }) => `echo; echo '### ${heading.replaceAll("'", '')}'\n${block}`,
  );
  const program = `${npmFor(options.scripts)}${marked.join('\n')}`;
  try {
    const ended = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', program], {
      cwd: options.directory,
      env: { ...process.env, INIT_CWD: options.directory, ...options.variables },
      maxBuffer: 16 * 1024 * 1024,
    });
    return { code: 0, ...ended };
  } catch (thrown) {
    return thrown as Ended;
  }
};
