// One question put to the sources, with the rules that held: OPA's coverage marks the head of each rule that came true.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import { allFolders, type PolicyFolders } from '#policies/build/folders.ts';
import type { Opa } from '#policies/build/opa.ts';
import type { RegoRule } from '#policies/build/rego-rules.ts';

/** Rules that say yes or no by themselves; the others are what these are made of. */
const DECISIVE = /^mcp\.authz\.(?:grant\.permits_(?:tool|prompt|resource)|constraint\.violated|obligation\.)/;

export type Evaluation = {
  /** Absent where the policy has no answer. */
  readonly decision: JsonObject | undefined;
  readonly held: readonly RegoRule[];
};

type Output = {
  readonly result?: readonly { readonly expressions: readonly { readonly value: Json }[] }[];
  readonly coverage: { readonly files: Readonly<Record<string, { readonly covered?: readonly Range[] }>> };
};
type Range = { readonly start: { readonly row: number; readonly col: number } };

const headsIn = (output: Output): ReadonlySet<string> =>
  new Set(
    Object.entries(output.coverage.files).flatMap(([file, { covered = [] }]) =>
      covered.filter(({ start }) => start.col === 1).map(({ start }) => `${file}:${start.row}`),
    ),
  );

/** @param rules all rules of the policy. @throws GatewayError `policy_failed` if the evaluation fails. */
export const evaluate = async (
  opa: Opa,
  policy: { readonly folders: PolicyFolders; readonly rules: readonly RegoRule[] },
  input: JsonObject,
): Promise<Evaluation> => {
  const workspace = await mkdtemp(join(tmpdir(), 'mcpgw-explain-'));
  try {
    const path = join(workspace, 'input.json');
    await writeFile(path, JSON.stringify(input));
    const data = allFolders(policy.folders).flatMap((folder) => ['-d', folder]);
    const args = ['eval', '--coverage', '--format', 'json', ...data, '-i', path, 'data.mcp.authz.decision'];
    const output = JSON.parse(await opa(args)) as Output;
    const heads = headsIn(output);
    const answer = output.result?.[0]?.expressions[0]?.value;
    return {
      decision: isJsonObject(answer) ? answer : undefined,
      held: policy.rules.filter(
        ({ path: rule, file, line }) => DECISIVE.test(rule) && heads.has(`${file}:${line}`),
      ),
    };
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
};
