// `npm run policy:replay -- --decisions <log> --bundle <policy.json>`: what would change, and for whom, if that policy
// served. Status 0: nothing; 1: something; 2: it could not be tried. Wiring only.

import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { GatewayError } from '#core/gateway-error.ts';
import { createBundleSource, DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { replay } from '#ext-authz/replay/replay.ts';
import { replayReport } from '#ext-authz/replay/report.ts';
import { givenPath } from '#runtime/given-path.ts';

const USAGE =
  'usage: npm run policy:replay -- --decisions <log> [--decisions <log> …] --bundle <policy.json> [--json]';

const OPTIONS = {
  decisions: { type: 'string', multiple: true },
  bundle: { type: 'string', default: DEFAULT_BUNDLE },
  json: { type: 'boolean', default: false },
} as const;

async function* linesOf(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files)
    yield* createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
}

const assertReadable = (files: readonly string[]): Promise<unknown> =>
  Promise.all(
    files.map((file) =>
      access(file).catch(() => {
        throw new GatewayError('config_invalid', `${file} cannot be read`);
      }),
    ),
  );

const main = async (): Promise<number> => {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.decisions === undefined) throw new GatewayError('config_invalid', USAGE);
  const files = values.decisions.map(givenPath);
  await assertReadable(files);
  const engine = await createBundleSource(givenPath(values.bundle)).load();
  const summary = await replay(engine, linesOf(files));
  const report = values.json ? JSON.stringify(summary, null, 2) : replayReport(summary, engine.revision);
  process.stdout.write(`${report}\n`);
  return summary.same === summary.decisions ? 0 : 1;
};

main().then(
  (status) => {
    process.exitCode = status;
  },
  (thrown: unknown) => {
    process.stderr.write(`${GatewayError.from(thrown).message}\n`);
    process.exitCode = 2;
  },
);
