// Everything that must hold before a policy is built, in the order in which a fault would hide the next.

import { join } from 'node:path';
import type { PolicyFault } from '#policies/build/fault.ts';
import { ownFolders, type PolicyFolders } from '#policies/build/folders.ts';
import { findImpureGrants } from '#policies/build/grant-purity.ts';
import type { Opa } from '#policies/build/opa.ts';
import { loadParts, type PolicyParts } from '#policies/build/parts.ts';
import { loadSources, parseModule } from '#policies/build/sources.ts';
import type { PolicyVector } from '#policies/build/vectors.ts';
import { findFormatFaults } from '#policies/check/format.ts';
import { findUndescribed, type LintedModule, lintModule } from '#policies/check/lint.ts';
import { findStrictFaults } from '#policies/check/strict.ts';
import { measureCoverage, runTests } from '#policies/check/tests.ts';
import { findUnread } from '#policies/check/unread.ts';
import { askVectors } from '#policies/check/vectors.ts';

export type CheckOptions = {
  readonly folders: PolicyFolders;
  readonly vectors: readonly PolicyVector[];
  /** What a reviewer asks for beyond what is needed to run: that files say what they are for, and coverage in percent. */
  readonly review?: { readonly minimumCoverage: number };
};

export type CheckReport = {
  readonly faults: readonly PolicyFault[];
  readonly tests: number;
  /** Percent; absent if it was not measured. */
  readonly coverage?: number;
  /** Absent if the policy cannot be parsed. */
  readonly sound?: {
    readonly parts: PolicyParts;
    /** Vectors it answers as they say. */
    readonly vectors: readonly PolicyVector[];
    readonly notes: readonly string[];
  };
};

const loadModules = async (opa: Opa, folders: PolicyFolders): Promise<readonly LintedModule[]> => {
  const modules = ownFolders(folders).map(async (folder) => {
    const sources = await loadSources(folder);
    return Promise.all(
      sources.map(async ({ path, text }) => {
        const file = join(folder, path);
        return { file, text, tree: await parseModule(opa, file) };
      }),
    );
  });
  return (await Promise.all(modules)).flat();
};

const checkRules = async (opa: Opa, { folders, vectors, review }: CheckOptions): Promise<CheckReport> => {
  const [format, modules, parts, tests] = await Promise.all([
    findFormatFaults(opa, folders),
    loadModules(opa, folders),
    loadParts(opa, folders),
    runTests(opa, folders),
  ]);
  const lint = modules.flatMap(lintModule);
  const isOwn = (file: string) => folders.rules !== undefined && file.startsWith(`${folders.rules}/`);
  const unread = findUnread(parts.rules, isOwn);
  const undescribed = review === undefined ? [] : modules.flatMap(findUndescribed);
  const impure = findImpureGrants(parts.rules);
  const answers = await askVectors(opa, folders, vectors);
  const faults = [
    ...format,
    ...undescribed,
    ...lint,
    ...unread,
    ...impure,
    ...tests.faults,
    ...answers.faults,
  ];
  const { kept, notes } = answers;
  return { faults, tests: tests.count, sound: { parts, vectors: kept, notes } };
};

/** @throws GatewayError `policy_failed` if OPA cannot be run. */
export const checkPolicy = async (opa: Opa, options: CheckOptions): Promise<CheckReport> => {
  const { folders, review } = options;
  const strict = await findStrictFaults(opa, folders);
  if (strict.length > 0) return { faults: strict, tests: 0 };
  const report = await checkRules(opa, options);
  if (review === undefined || report.faults.length > 0) return report;
  const { percent, missed } = await measureCoverage(opa, folders);
  return { ...report, coverage: percent, faults: percent < review.minimumCoverage ? missed : [] };
};
