// The operator's table of nodes: which certificate may be which node, and what a region is. Strict, because a member
// that is misspelt is a limit that is missing. Pure.

import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { err, ok, type Result } from '#core/result.ts';
import { parseSanPattern, type SanPattern } from '#core/san-pattern.ts';
import { parseSelector, type ServerSelector } from '#xds-server/nodes/selector.ts';

export type NodeRule = {
  readonly san: SanPattern;
  /** The id the node must have, or, with a `*` at its end, begin with; absent: any. */
  readonly id?: string;
  readonly group: 'edge' | 'sidecar';
  /** What it may see at most. */
  readonly servers: readonly ServerSelector[];
  /** Of which it must name one; absent: it may name any, or none. */
  readonly regions?: readonly string[];
};

export type NodesTable = {
  readonly rules: readonly NodeRule[];
  readonly regions: ReadonlyMap<string, readonly ServerSelector[]>;
};

/** Of a deployment without one: every node is of this machine, and there are no regions. */
export const NO_TABLE: NodesTable = { rules: [], regions: new Map() };

const Name = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' });
const Selectors = Type.Array(Type.String({ maxLength: 200 }), { minItems: 1, maxItems: 10_000 });
const closed = { additionalProperties: false };

const check = Compile(
  Type.Object(
    {
      regions: Type.Optional(Type.Record(Name, Selectors, closed)),
      nodes: Type.Array(
        Type.Object(
          {
            san: Type.String({ minLength: 1, maxLength: 2_048 }),
            id: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
            group: Type.Enum(['edge', 'sidecar']),
            servers: Type.Optional(Selectors),
            regions: Type.Optional(Type.Array(Name, { minItems: 1 })),
          },
          closed,
        ),
      ),
    },
    closed,
  ),
);

type Written = {
  readonly regions?: Readonly<Record<string, readonly string[]>>;
  readonly nodes: readonly {
    readonly san: string;
    readonly id?: string;
    readonly group: 'edge' | 'sidecar';
    readonly servers?: readonly string[];
    readonly regions?: readonly string[];
  }[];
};

const parseSelectors = (texts: readonly string[]): Result<readonly ServerSelector[], string> => {
  const selectors: ServerSelector[] = [];
  for (const text of texts) {
    const selector = parseSelector(text);
    if (!selector.ok) return err(`${JSON.stringify(text)}: ${selector.error}`);
    selectors.push(selector.value);
  }
  return ok(selectors);
};

const parseRule = (
  { servers, regions, san: written, id, group }: Written['nodes'][number],
  known: NodesTable['regions'],
): Result<NodeRule, string> => {
  const san = parseSanPattern(written);
  if (!san.ok) return err(`san: ${san.error}`);
  if (group === 'sidecar' && servers === undefined) return err('a sidecar needs servers');
  const unknown = regions?.find((region) => !known.has(region));
  if (unknown !== undefined) return err(`regions: there is no region ${unknown}`);
  const selectors = parseSelectors(servers ?? ['*']);
  if (!selectors.ok) return err(`servers: ${selectors.error}`);
  const optional = { ...(id === undefined ? {} : { id }), ...(regions === undefined ? {} : { regions }) };
  return ok({ san: san.value, group, servers: selectors.value, ...optional });
};

const readWritten = (text: string): Result<Written, string> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err('it is not JSON');
  }
  if (check.Check(value)) return ok(value as Written);
  const [first] = check.Errors(value);
  return err(`${first?.instancePath || 'the document'} ${first?.message ?? 'is not as it should be'}`);
};

/** Reads the document. The error names the place. */
export const parseNodesTable = (text: string): Result<NodesTable, string> => {
  const written = readWritten(text);
  if (!written.ok) return written;
  const regions = new Map<string, readonly ServerSelector[]>();
  for (const [name, texts] of Object.entries(written.value.regions ?? {})) {
    const selectors = parseSelectors(texts);
    if (!selectors.ok) return err(`/regions/${name}: ${selectors.error}`);
    regions.set(name, selectors.value);
  }
  const rules: NodeRule[] = [];
  for (const [index, node] of written.value.nodes.entries()) {
    const rule = parseRule(node, regions);
    if (!rule.ok) return err(`/nodes/${index}/${rule.error}`);
    rules.push(rule.value);
  }
  return ok({ rules, regions });
};
