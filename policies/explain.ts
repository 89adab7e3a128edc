// `npm run policy:explain -- call.json`: why a call is decided as it is, by which rules, and what would change it. Reads a
// policy input or a line of the decision log; `-` reads standard input. Wiring only; needs OPA.

import { readFile } from 'node:fs/promises';
import { text as streamText } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { GatewayError } from '#core/gateway-error.ts';
import { shownPath } from '#policies/build/folders.ts';
import { createOpa } from '#policies/build/opa.ts';
import { loadParts } from '#policies/build/parts.ts';
import { evaluate } from '#policies/explain/evaluate.ts';
import { explainCall } from '#policies/explain/explain-call.ts';
import { readCall } from '#policies/explain/read-call.ts';
import { explanationWords } from '#policies/explain/words.ts';
import { FOLDER_OPTIONS, givenFolders } from '#policies/given-folders.ts';
import { readConfig, text } from '#runtime/config.ts';
import { givenDirectory, givenPath } from '#runtime/given-path.ts';

const USAGE = 'usage: npm run policy:explain -- [--rules folder] [--json] <call.json | ->';

const readGiven = async (file: string): Promise<string> =>
  file === '-' ? streamText(process.stdin) : readFile(givenPath(file), 'utf8');

const place = (file: string, line: number): string => `${shownPath(file, givenDirectory())}:${line}`;

const main = async (): Promise<void> => {
  const options = { ...FOLDER_OPTIONS, json: { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new GatewayError('config_invalid', USAGE);
  const call = readCall(await readGiven(file));
  if (!call.ok) throw new GatewayError('config_invalid', `${file} ${call.error}`);
  const opa = createOpa(readConfig({ opaBinary: text('OPA_BIN', 'opa') }).opaBinary);
  const folders = await givenFolders(values);
  const { rules } = await loadParts(opa, folders);
  const explained = await explainCall((input) => evaluate(opa, { folders, rules }, input), call.value.input);
  const { decision = null, decidedBy, changes, allowedThen } = explained;
  const places = decidedBy.map(({ path, adds, file: at, line }) => ({ rule: path, adds, file: at, line }));
  const structured = { decision, decidedBy: places, changes, allowedThen, hidden: call.value.hidden };
  const words = explanationWords(call.value, explained, place);
  process.stdout.write(`${values.json ? JSON.stringify(structured, null, 2) : words}\n`);
};

main().catch((thrown: unknown) => {
  process.stderr.write(`${GatewayError.from(thrown).message}\n`);
  process.exitCode = 2;
});
