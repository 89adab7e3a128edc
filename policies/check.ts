// `npm run policy:check`: format, strict check, lint, purity of grants, tests, coverage. One line for each fault; status 1
// if there is one, 2 if the check could not be made. Wiring only; needs OPA.

import { parseArgs } from 'node:util';
import { GatewayError } from '#core/gateway-error.ts';
import { faultLine } from '#policies/build/fault.ts';
import { shownPath } from '#policies/build/folders.ts';
import { createOpa } from '#policies/build/opa.ts';
import { loadVectors } from '#policies/build/vectors.ts';
import { checkPolicy } from '#policies/check/check-policy.ts';
import { writeFormat } from '#policies/check/format.ts';
import { FOLDER_OPTIONS, givenFolders } from '#policies/given-folders.ts';
import { readConfig, text } from '#runtime/config.ts';
import { givenDirectory } from '#runtime/given-path.ts';

const OPTIONS = {
  ...FOLDER_OPTIONS,
  coverage: { type: 'string', default: '90' },
  write: { type: 'boolean', default: false },
} as const;

const percentOf = (value: string): number => {
  const percent = Number(value);
  if (percent >= 0 && percent <= 100) return percent;
  throw new GatewayError('config_invalid', `--coverage is a percentage, not "${value}"`);
};

const main = async (): Promise<number> => {
  const { values } = parseArgs({ options: OPTIONS });
  const opa = createOpa(readConfig({ opaBinary: text('OPA_BIN', 'opa') }).opaBinary);
  const folders = await givenFolders(values);
  const vectors = (await loadVectors(folders.vectors)).filter(({ selfTest }) => selfTest);
  if (values.write) await writeFormat(opa, folders);
  const minimumCoverage = percentOf(values.coverage);
  const { faults, tests, coverage, sound } = await checkPolicy(opa, {
    folders,
    vectors,
    review: { minimumCoverage },
  });
  for (const fault of faults) {
    const shown = { ...fault, file: shownPath(fault.file, givenDirectory()) };
    process.stdout.write(`${faultLine(shown)}\n`);
  }
  for (const note of sound?.notes ?? []) process.stdout.write(`note: ${note}\n`);
  const measured =
    coverage === undefined ? '' : `, coverage ${coverage.toFixed(1)} % (at least ${minimumCoverage})`;
  const found =
    faults.length === 0 ? 'no faults' : `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`;
  process.stdout.write(`policy:check: ${found}, ${tests} tests${measured}\n`);
  return faults.length === 0 ? 0 : 1;
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
