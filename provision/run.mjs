// `node provision/run.mjs [--quiet] [--with envoy|opa|redis|bench-peers|mcp-proxy|k6]… -- <script | tool> [arguments]`
// Brings everything into place, then runs the script on Node 24 and ends as it ends. Starts on any Node from 20.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createContext, ROOT } from '#provision/context.mjs';
import { ProvisionFault } from '#provision/fault.mjs';
import { PARTS, provision } from '#provision/provision.mjs';
import { isAtLeast } from '#provision/version.mjs';

/** Tools by name, as files inside node_modules. */
const TOOLS = {
  vitest: 'vitest/vitest.mjs',
  biome: '@biomejs/biome/bin/biome',
  tsc: 'typescript/bin/tsc',
};

/** Asked for before anything takes time. */
const STARTED_BY = process.ppid;

const USAGE =
  'usage: node provision/run.mjs [--quiet] [--with envoy|opa|redis|bench-peers|mcp-proxy|k6]… -- <script | vitest | biome | tsc> [arguments]';

const parseArguments = (argv) => {
  const separator = argv.indexOf('--');
  const options = argv.slice(0, separator);
  const [script, ...args] = argv.slice(separator + 1);
  const parts = [...new Set(options.filter((_, index) => options[index - 1] === '--with'))];
  const known = options.every(
    (option) => option === '--quiet' || option === '--with' || PARTS.includes(option),
  );
  if (separator < 0 || script === undefined || !known)
    throw new ProvisionFault('The arguments are not understood', USAGE);
  return { quiet: options.includes('--quiet'), parts, script, args };
};

/** How often npm is looked for, milliseconds. */
const POLL_MS = 500;

/**
 * npm dies of a SIGTERM at once and tells only the shell between it and us, so a process manager that ends npm would
 * leave the program behind. Started by hand we have no such shell, and a terminal that closes is no order to end.
 */
const followNpm = (child) => {
  if (process.env.npm_lifecycle_event === undefined) return;
  const timer = setInterval(() => {
    if (process.ppid === STARTED_BY) return;
    clearInterval(timer);
    child.kill('SIGTERM');
  }, POLL_MS);
  timer.unref();
};

/** Runs the program in the foreground; resolves to how it ended. */
const runToEnd = (binary, args, env) =>
  new Promise((resolve, reject) => {
    const child = spawn(binary, args, { stdio: 'inherit', env, cwd: ROOT });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    followNpm(child);
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });

const main = async () => {
  const context = createContext({ quiet: process.argv.includes('--quiet') });
  const { runner } = context.versions;
  if (!isAtLeast(process.versions.node, runner.node))
    throw new ProvisionFault(
      `Node ${runner.node.split('.')[0]} or newer is needed to start, this is ${process.version}`,
      'Install Node 24 from https://nodejs.org, or with nvm: nvm install 24',
    );
  const { parts, script, args } = parseArguments(process.argv.slice(2));
  const { nodeBinary, variables } = await provision(context, parts);
  const tool = TOOLS[script];
  const file = tool === undefined ? join(ROOT, script) : join(ROOT, 'node_modules', tool);
  const watch = tool === undefined ? ['--import', join(ROOT, 'provision', 'parent-watch.mjs')] : [];
  const env = {
    ...process.env,
    ...(tool === undefined ? { MCPGW_PARENT_PID: String(process.pid) } : {}),
    ...variables,
  };
  return runToEnd(nodeBinary, ['--disable-warning=ExperimentalWarning', ...watch, file, ...args], env);
};

main().then(
  ({ code, signal }) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
  },
  (error) => {
    process.stderr.write(
      error instanceof ProvisionFault ? `\n  ${error.message.trim()}\n\n` : `${error.stack}\n`,
    );
    process.exitCode = 1;
  },
);
