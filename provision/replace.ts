// `npm run replace -- <part> …`: tells the supervisor that runs in MCPGW_RUNTIME_DIR to replace parts of itself, one after
// another, without a gap.

import { orderReplacement, ordersDirectory } from '#provision/processes/replace-orders.ts';
import { readConfig, runtimeDirectory } from '#runtime/config.ts';

const run = async (names: readonly string[]): Promise<string | undefined> => {
  if (names.length === 0 || names.some((name) => !/^[a-z][a-z0-9-]*$/.test(name)))
    return 'usage: npm run replace -- <part> …, e.g. ext-proc ext-authz envoy';
  const directory = ordersDirectory(readConfig({ runtimeDirectory }).runtimeDirectory);
  for (const name of names) {
    const fault = await orderReplacement(directory, name);
    if (fault !== undefined) return `${name} is not replaced: ${fault}`;
    process.stdout.write(`${name} is replaced\n`);
  }
  return undefined;
};

const fault = await run(process.argv.slice(2)).catch((thrown: unknown) =>
  thrown instanceof Error ? thrown.message : String(thrown),
);
if (fault !== undefined) {
  process.stderr.write(`${fault}\n`);
  process.exit(1);
}
