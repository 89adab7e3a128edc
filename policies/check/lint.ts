// What OPA lets pass and a reviewer would not: rules that open by default, names that clients cannot be shown, files that
// do not say what they are for. Pure.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { PolicyFault } from '#policies/build/fault.ts';

export type LintedModule = {
  readonly file: string;
  readonly text: string;
  /** OPA's JSON syntax tree, with locations. */
  readonly tree: JsonObject;
};

/** Names of constraints stand in answers to clients and in the decision log. */
const CONSTRAINT_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const MAX_CONSTRAINT_NAME = 64;

const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isJsonObject) : [];

const member = (value: JsonObject | undefined, name: string): JsonObject | undefined => {
  const found = value?.[name];
  return isJsonObject(found) ? found : undefined;
};

const lineOf = (node: JsonObject): number => Number(member(node, 'location')?.['row'] ?? 1);

const packageOf = (tree: JsonObject): string =>
  objects(member(tree, 'package')?.['path'])
    .slice(1)
    .map(({ value }) => String(value))
    .join('.');

/** A fault for a module that does not say what it is for. */
export const findUndescribed = ({ file, text }: LintedModule): readonly PolicyFault[] =>
  text.startsWith('#')
    ? []
    : [
        {
          file,
          line: 1,
          message: 'the file does not say what it is for',
          remedy: 'Begin it with a comment: what it refuses or opens, for whom, and who asked for it',
        },
      ];

const findOpenDefaults = ({ file, tree }: LintedModule): readonly PolicyFault[] =>
  objects(tree['rules'])
    .filter((rule) => rule['default'] === true && member(member(rule, 'head'), 'value')?.['value'] === true)
    .map((rule) => ({
      file,
      line: lineOf(rule),
      message: 'a rule is true by default',
      remedy: 'Write what makes it true: what nobody thought of must not open anything',
    }));

const constraintName = (rule: JsonObject): string | undefined => {
  const head = member(rule, 'head');
  const key = member(head, 'key');
  return head?.['name'] === 'violated' && key?.['type'] === 'string' ? String(key['value']) : undefined;
};

const findBadNames = ({ file, tree }: LintedModule): readonly PolicyFault[] => {
  if (packageOf(tree) !== 'mcp.authz.constraint') return [];
  return objects(tree['rules']).flatMap((rule) => {
    const name = constraintName(rule);
    const fits = name === undefined || (CONSTRAINT_NAME.test(name) && name.length <= MAX_CONSTRAINT_NAME);
    if (fits) return [];
    return [
      {
        file,
        line: lineOf(rule),
        message: `the constraint's name ${JSON.stringify(name)} cannot be shown`,
        remedy: 'Callers read it when they are refused: small letters, digits and hyphens, 64 at most',
      },
    ];
  });
};

/** Faults of one module that is no test. */
export const lintModule = (module: LintedModule): readonly PolicyFault[] => [
  ...findOpenDefaults(module),
  ...findBadNames(module),
];
