// A version field by field against what was last approved of its server. A name that was never approved is a new
// tool, whatever it does like another: a rename would else walk past every pin.

import type { Json } from '#core/json.ts';
import { diffJson, type JsonChange } from '#core/json-diff.ts';
import type { Tool } from '#core/server.ts';
import type { Definition, Surface } from '#registry/approval/definition.ts';
import { type Difference, type DifferenceKind, differenceOf } from '#registry/approval/difference.ts';
import type { Pins } from '#registry/approval/pins.ts';
import { isSchemaProse } from '#registry/approval/schema-prose.ts';
import { riskOf } from '#registry/approval/text-kind.ts';

const fieldOf = ({ pointer }: JsonChange): string => pointer.split('/')[1] ?? '';

const compareSurface = (pins: Pins, surface: Surface): Difference[] =>
  diffJson((pins.surface?.surface ?? {}) as Json, surface as unknown as Json).map((change) =>
    differenceOf(change, fieldOf(change) as keyof Surface),
  );

/** The texts of a change between texts; undefined if anything else was or is there. */
const textsOf = (change: JsonChange): { readonly before: string; readonly after: string } | undefined => {
  const before = change.change === 'added' ? '' : change.before;
  const after = change.change === 'removed' ? '' : change.after;
  return typeof before === 'string' && typeof after === 'string' ? { before, after } : undefined;
};

type Field = Exclude<keyof Tool, 'name'>;

/** Kinds of a text that says nothing to a model beside what it is. */
const TEXTS: Readonly<Partial<Record<Field, DifferenceKind>>> = { title: 'title', description: 'prose' };

const kindOf = (change: JsonChange, otherTools: ReadonlySet<string>): DifferenceKind => {
  const [, field, ...inside] = change.pointer.split('/');
  const texts = textsOf(change);
  const isSchema = field === 'inputSchema' || field === 'outputSchema';
  if (isSchema && (texts === undefined || !isSchemaProse(inside))) return 'schema';
  const plain = isSchema ? 'prose' : TEXTS[field as Field];
  if (plain === undefined) return field as 'annotations' | 'requiredScopes' | 'tags' | 'idempotent';
  return texts === undefined ? plain : (riskOf({ ...texts, otherTools }) ?? plain);
};

const without = (names: ReadonlySet<string>, name: string): ReadonlySet<string> => {
  const others = new Set(names);
  others.delete(name);
  return others;
};

const compareTool = (pins: Pins, tool: Tool, names: ReadonlySet<string>): Difference[] => {
  const at = `/tools/${tool.name}`;
  const whole: JsonChange = { change: 'added', pointer: at, after: tool as unknown as Json };
  const pinned = pins.tools.get(tool.name)?.tool;
  if (pinned === undefined) return [differenceOf(whole, 'tool-added', tool.name)];
  const changes = diffJson(pinned as unknown as Json, tool as unknown as Json);
  const otherTools = changes.length === 0 ? names : without(names, tool.name);
  return [
    ...(pins.surface?.toolNames.includes(tool.name) === true
      ? []
      : [differenceOf(whole, 'tool-returned', tool.name)]),
    ...changes.map((change) =>
      differenceOf({ ...change, pointer: `${at}${change.pointer}` }, kindOf(change, otherTools), tool.name),
    ),
  ];
};

const removedTools = (pins: Pins, names: ReadonlySet<string>): Difference[] =>
  (pins.surface?.toolNames ?? [])
    .filter((name) => !names.has(name))
    .map((name) => {
      const before = pins.tools.get(name)?.tool as unknown as Json;
      return differenceOf({ change: 'removed', pointer: `/tools/${name}`, before }, 'tool-removed', name);
    });

const byName = (a: Tool, b: Tool): number => (a.name < b.name ? -1 : 1);

/** Every difference: the server first, then its tools by name. Empty: this is what was last approved. */
export const compareWithPins = (pins: Pins, { surface, tools }: Definition): readonly Difference[] => {
  const present = new Set(tools.map(({ name }) => name));
  const known = new Set([...present, ...pins.tools.keys()]);
  return [
    ...compareSurface(pins, surface),
    ...removedTools(pins, present),
    ...tools.toSorted(byName).flatMap((tool) => compareTool(pins, tool, known)),
  ];
};
