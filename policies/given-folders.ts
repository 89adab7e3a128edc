// The folders a person names on the command line of a policy command.

import { stat } from 'node:fs/promises';
import { GatewayError } from '#core/gateway-error.ts';
import { PLATFORM_RULES, type PolicyFolders } from '#policies/build/folders.ts';
import { DEFAULT_VECTORS } from '#policies/build/vectors.ts';
import { givenPath } from '#runtime/given-path.ts';

/** Options of `parseArgs` that every policy command has. */
export const FOLDER_OPTIONS = {
  rules: { type: 'string' },
  sources: { type: 'string', default: PLATFORM_RULES },
  vectors: { type: 'string', default: DEFAULT_VECTORS },
} as const;

const folder = async (option: string, value: string): Promise<string> => {
  const path = givenPath(value);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return path;
  throw new GatewayError('config_invalid', `--${option}: there is no folder ${path}`);
};

export type GivenFolders = PolicyFolders & { readonly vectors: string };

/** @throws GatewayError `config_invalid` naming the folder that is not there. */
export const givenFolders = async (values: {
  readonly rules?: string | undefined;
  readonly sources: string;
  readonly vectors: string;
}): Promise<GivenFolders> => ({
  sources: await folder('sources', values.sources),
  rules: values.rules === undefined ? undefined : await folder('rules', values.rules),
  vectors: await folder('vectors', values.vectors),
});
