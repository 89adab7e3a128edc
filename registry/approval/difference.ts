// The kinds of difference between a version and what was approved, and which of them a person must see first.

import type { JsonChange } from '#core/json-diff.ts';

/**
 * Pure prose and what only takes away pass with notice, or everybody would switch approval off. `tags` and
 * `annotations` are what policies decide by, `protocolVersions` how calls are read.
 */
const NEEDS_APPROVAL = {
  endpoints: true,
  transport: true,
  protocolVersions: true,
  upstreamAuth: true,
  health: true,
  'tool-added': true,
  'tool-removed': false,
  'tool-returned': false,
  schema: true,
  annotations: true,
  requiredScopes: true,
  tags: true,
  idempotent: true,
  link: true,
  instruction: true,
  'tool-reference': true,
  'hidden-text': true,
  prose: false,
  title: false,
} as const satisfies Readonly<Record<string, boolean>>;

export type DifferenceKind = keyof typeof NEEDS_APPROVAL;

export const DIFFERENCE_KINDS = Object.keys(NEEDS_APPROVAL) as readonly DifferenceKind[];

/** Pointers lead into the version, its tools by name: `/tools/create_issue/inputSchema`. */
export type Difference = JsonChange & {
  readonly kind: DifferenceKind;
  /** Name of the tool it is about. */
  readonly tool?: string;
  readonly needsApproval: boolean;
};

/** A change of one kind, judged. */
export const differenceOf = (change: JsonChange, kind: DifferenceKind, tool?: string): Difference => ({
  ...change,
  kind,
  ...(tool === undefined ? {} : { tool }),
  needsApproval: NEEDS_APPROVAL[kind],
});
