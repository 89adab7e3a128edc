// The questions a bundle is asked before it serves, asked while it is written: a rule that changes their answers would
// be refused by the gateway, late and far away.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import type { PolicyFault } from '#policies/build/fault.ts';
import { allFolders, type PolicyFolders } from '#policies/build/folders.ts';
import type { Opa } from '#policies/build/opa.ts';
import { DEFAULT_VECTORS, type PolicyVector } from '#policies/build/vectors.ts';

/** What OPA answers to each input, in one run; undefined where it has no answer. */
export const askOpa = async (
  opa: Opa,
  folders: PolicyFolders,
  { entrypoint, inputs }: { readonly entrypoint: string; readonly inputs: readonly JsonObject[] },
): Promise<readonly unknown[]> => {
  const workspace = await mkdtemp(join(tmpdir(), 'mcpgw-vectors-'));
  try {
    const path = join(workspace, 'inputs.json');
    await writeFile(path, JSON.stringify({ inputs }));
    const rule = `data.${entrypoint.replaceAll('/', '.')}`;
    const query = `{index: answer | some index, asked in input.inputs; answer := ${rule} with input as asked}`;
    const data = allFolders(folders).flatMap((folder) => ['-d', folder]);
    const output = await opa(['eval', '--format', 'json', ...data, '-i', path, query]);
    const answers = JSON.parse(output).result[0].expressions[0].value as Record<string, unknown>;
    return inputs.map((_input, index) => answers[index]);
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
};

export type VectorReport = {
  readonly faults: readonly PolicyFault[];
  /** What the author should know and need not change. */
  readonly notes: readonly string[];
  /** Vectors that are answered as they say. */
  readonly kept: readonly PolicyVector[];
};

const allows = (answer: unknown): boolean => isJsonObject(answer) && answer['allow'] === true;

const faultFor = ({ title, file }: PolicyVector, answer: unknown): PolicyFault => ({
  file,
  line: 1,
  message: `"${title}" is answered ${JSON.stringify(answer)}`,
  remedy:
    'Correct the rule, or, if the answer is meant, keep vectors of your own and name their folder by --vectors',
});

const answerAll = async (opa: Opa, folders: PolicyFolders, vectors: readonly PolicyVector[]) => {
  const groups = Map.groupBy(vectors, ({ entrypoint }) => entrypoint);
  const answered = [...groups].map(async ([entrypoint, asked]) => {
    const answers = await askOpa(opa, folders, { entrypoint, inputs: asked.map(({ input }) => input) });
    return asked.map((vector, index) => ({ vector, answer: answers[index] }));
  });
  return (await Promise.all(answered)).flat();
};

/**
 * Asks all vectors. Those that come with the product say how the platform's rules answer alone: where an author's rules
 * refuse more, they say so no longer and are left out, with a note. Where a rule opens what they refuse, and where the
 * vectors are the author's own, another answer is a fault.
 */
export const askVectors = async (
  opa: Opa,
  folders: PolicyFolders,
  vectors: readonly PolicyVector[],
): Promise<VectorReport> => {
  const answered = await answerAll(opa, folders, vectors);
  const other = answered.filter(({ vector, answer }) => !isDeepStrictEqual(answer, vector.expected));
  const isLeftOut = ({ vector, answer }: (typeof other)[number]) =>
    folders.rules !== undefined &&
    dirname(vector.file) === DEFAULT_VECTORS &&
    vector.entrypoint === 'mcp/authz/decision' &&
    (allows(vector.expected) || !allows(answer));
  const leftOut = other.filter(isLeftOut);
  const others = new Set(other.map(({ vector }) => vector));
  const named = leftOut.map(({ vector }) => `"${vector.title}"`).join(', ');
  const count = `${leftOut.length} of the ${vectors.length} vectors of the platform`;
  const note = `your rules change ${count}, which will not be asked of this policy: ${named}`;
  return {
    faults: other.filter((entry) => !isLeftOut(entry)).map(({ vector, answer }) => faultFor(vector, answer)),
    notes: leftOut.length === 0 ? [] : [note],
    kept: vectors.filter((vector) => !others.has(vector)),
  };
};
