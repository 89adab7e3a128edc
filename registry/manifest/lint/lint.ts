// Everything the lint looks at, in one list. Pure: the tools of other servers come in as names.

import type { Json } from '#core/json.ts';
import type { Tool } from '#core/server.ts';
import type { Finding } from '#registry/manifest/lint/finding.ts';
import { lintHiddenText } from '#registry/manifest/lint/hidden-text.ts';
import { lintInstructions } from '#registry/manifest/lint/instruction-text.ts';
import {
  lintInputType,
  lintPatterns,
  lintSchema,
  type PlacedSchema,
} from '#registry/manifest/lint/schema-bounds.ts';
import { type KnownTools, lintToolNames } from '#registry/manifest/lint/tool-names.ts';
import type { ParsedManifest } from '#registry/manifest/parse-manifest.ts';
import type { Manifest } from '#registry/manifest/schema/manifest-2.ts';

/** More findings than this help nobody. */
const MAX_FINDINGS = 100;

const schemasOf = ({ inputSchema, outputSchema }: Tool, index: number): PlacedSchema[] => [
  { schema: inputSchema, pointer: `/tools/${index}/inputSchema` },
  ...(outputSchema === undefined ? [] : [{ schema: outputSchema, pointer: `/tools/${index}/outputSchema` }]),
];

const lintTool = (tool: Tool, index: number): Finding[] => {
  const at = `/tools/${index}`;
  return [
    ...lintInputType(tool.inputSchema, `${at}/inputSchema`),
    ...schemasOf(tool, index).flatMap(lintSchema),
    ...lintInstructions(tool, at),
  ];
};

/** What a field of an older schema version says for every tool is said once. */
const withoutRepetitions = (findings: readonly Finding[]): readonly Finding[] => [
  ...new Map(
    findings.map((found) => [`${found.code} ${found.pointer} ${found.message}`, found] as const),
  ).values(),
];

/** A version as it was sent: in a manifest, or by an admin without one. */
export type SentVersion = Pick<ParsedManifest, 'pointerAsSent'> & {
  readonly manifest: Pick<Manifest, 'server' | 'tools'>;
};

/** Errors first; at most a hundred. Pointers lead into what was sent. */
export const lintManifest = (
  { manifest, pointerAsSent }: SentVersion,
  others: readonly KnownTools[],
): readonly Finding[] => {
  const findings = [
    ...lintToolNames(manifest, others),
    ...manifest.tools.flatMap(lintTool),
    ...lintPatterns(manifest.tools.flatMap(schemasOf)),
    ...lintHiddenText(manifest as unknown as Json),
  ];
  return withoutRepetitions(findings.map((found) => ({ ...found, pointer: pointerAsSent(found.pointer) })))
    .toSorted((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'))
    .slice(0, MAX_FINDINGS);
};

export const errorsOf = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ severity }) => severity === 'error');

export const warningsOf = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ severity }) => severity === 'warning');
