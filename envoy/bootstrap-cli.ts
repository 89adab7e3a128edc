// `npm run -s envoy:bootstrap`: writes the bootstrap that `start:envoy` would start Envoy with, for whoever starts it by
// other means, and says where it is. `--print` prints it.

import { GatewayError } from '#core/gateway-error.ts';
import { envoyArguments } from '#envoy/arguments.ts';
import { readBootstrapConfiguration } from '#envoy/configuration.ts';
import { writeBootstrap } from '#envoy/write-bootstrap.ts';
import { readDrainSettings } from '#runtime/drain-settings.ts';

const USAGE = 'usage: npm run -s envoy:bootstrap [-- --print]';

const run = async (args: readonly string[]): Promise<void> => {
  if (args.some((argument) => argument !== '--print')) throw new GatewayError('config_invalid', USAGE);
  const { file, text } = await writeBootstrap(readBootstrapConfiguration());
  if (args.includes('--print')) {
    process.stdout.write(text);
    return;
  }
  const drainSeconds = readDrainSettings().limitMs / 1_000;
  const flags = envoyArguments({ bootstrapFile: file, logLevel: 'warning', concurrency: 0, drainSeconds });
  process.stdout.write(`${file}\nstart Envoy with: envoy ${flags.join(' ')}\n`);
};

await run(process.argv.slice(2)).catch((thrown: unknown) => {
  process.stderr.write(`${GatewayError.from(thrown).message}\n`);
  process.exit(1);
});
