// What the publisher's commands share: their form, their arguments and their files.

import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { GatewayError } from '#core/gateway-error.ts';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import type { Finding } from '#registry/manifest/lint/finding.ts';
import { givenPath } from '#runtime/given-path.ts';

export type Told = {
  /** For standard output. */
  readonly output: string;
  /** For standard error. */
  readonly notes: readonly string[];
  readonly failed: boolean;
};

export type Command = (args: readonly string[], nowSeconds: number) => Promise<Told>;

/** A command that was called the wrong way. @throws GatewayError `config_invalid` */
export const stop = (message: string): never => {
  throw new GatewayError('config_invalid', message);
};

export const pathOf = givenPath;

export type Options = Readonly<Record<string, string | undefined>>;

/** Reads `--name value` options and the file names between them. */
export const readArguments = (
  args: readonly string[],
  rules: { readonly options: readonly string[]; readonly files: number; readonly usage: string },
): { readonly options: Options; readonly files: readonly string[] } => {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: Object.fromEntries(rules.options.map((name) => [name, { type: 'string' as const }])),
    });
    if (positionals.length === rules.files) return { options: values as Options, files: positionals };
  } catch {
    // Said below, in the same words for every mistake.
  }
  return stop(rules.usage);
};

const reading = <T>(path: string, bytes: Promise<T>): Promise<T> =>
  bytes.catch(() => stop(`${path} cannot be read`));

export const readBytes = (file: string): Promise<Buffer> => reading(file, readFile(pathOf(file)));

/** The content is never repeated: it may be a private key. */
export const readJwk = async (file: string): Promise<JsonObject> => {
  const text = (await readBytes(file)).toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value;
  } catch {
    // Said below.
  }
  return stop(`${file} holds no JSON object`);
};

export const describeFinding = ({ severity, pointer, message }: Finding): string =>
  `${severity}: ${pointer === '' ? 'the manifest' : pointer} ${message}`;
