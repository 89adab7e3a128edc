// What each rule of a policy refers to, read from the syntax tree that `opa parse --format json` prints. Names are
// resolved generously: a local variable that shares a rule's name counts as a use of the rule. Pure.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';

export type RegoRule = {
  /** Path of the rule in `data`, e.g. `mcp.authz.grant.permits_tool`. */
  readonly path: string;
  /** The file as it was named to OPA, and the line the rule begins at. */
  readonly file: string;
  readonly line: number;
  /** What a rule of a set adds to it (`violated contains "office-hours"`), if that is one constant string. */
  readonly adds?: string;
  /** Paths read below `input`; an empty path is the input whole. */
  readonly inputs: readonly (readonly string[])[];
  /** Paths read below `data`. */
  readonly data: readonly (readonly string[])[];
  /** The rule replaces documents (`with`), so its references do not say what is read. */
  readonly replaces: boolean;
};

type Scope = {
  readonly packagePath: readonly string[];
  readonly ruleNames: ReadonlySet<string>;
  readonly imports: ReadonlyMap<string, readonly string[]>;
};

const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isJsonObject) : [];

const nameOf = (term: JsonObject | undefined): string => String(term?.['value'] ?? '');

/** The constant beginning of a reference: `input.call[x].y` reads all of `input.call`. */
const constantPath = (terms: readonly JsonObject[]): readonly string[] => {
  const [head, ...rest] = terms;
  const end = rest.findIndex((term) => term['type'] !== 'string');
  return [nameOf(head), ...rest.slice(0, end === -1 ? rest.length : end).map(nameOf)];
};

const ruleName = (rule: JsonObject): string => {
  const head = isJsonObject(rule['head']) ? rule['head'] : {};
  return typeof head['name'] === 'string' ? head['name'] : nameOf(objects(head['ref'])[0]);
};

const importsOf = (module: JsonObject): ReadonlyMap<string, readonly string[]> =>
  new Map(
    objects(module['imports']).map((entry) => {
      const path = isJsonObject(entry['path']) ? constantPath(objects(entry['path']['value'])) : [];
      return [typeof entry['alias'] === 'string' ? entry['alias'] : (path.at(-1) ?? ''), path];
    }),
  );

const scopeOf = (module: JsonObject): Scope => {
  const declared = isJsonObject(module['package']) ? objects(module['package']['path']) : [];
  return {
    packagePath: declared.slice(1).map(nameOf),
    ruleNames: new Set(objects(module['rules']).map(ruleName)),
    imports: importsOf(module),
  };
};

/** Full paths, beginning with `input` or `data`, that one node of the tree reaches for. */
const resolve = (path: readonly string[], scope: Scope): readonly string[] | undefined => {
  const [head = '', ...rest] = path;
  if (head === 'input' || head === 'data') return path;
  const imported = scope.imports.get(head);
  if (imported !== undefined) return [...imported, ...rest];
  return scope.ruleNames.has(head) ? ['data', ...scope.packagePath, ...path] : undefined;
};

const collect = (
  node: Json | undefined,
  found: { paths: (readonly string[])[]; replaces: boolean },
): void => {
  if (Array.isArray(node)) {
    for (const item of node) collect(item, found);
    return;
  }
  if (!isJsonObject(node)) return;
  if (node['type'] === 'ref') found.paths.push(constantPath(objects(node['value'])));
  if (node['type'] === 'var') found.paths.push([nameOf(node)]);
  if (Array.isArray(node['with'])) found.replaces = true;
  // The first term of a reference is its head, already taken with its path; the others may hold references too.
  const children = node['type'] === 'ref' ? objects(node['value']).slice(1) : Object.values(node);
  for (const child of children) collect(child, found);
};

// All of a rule but its own name and its annotations; keys in the head (`limits[input.x]`) are read like any other.
const bodyParts = (rule: JsonObject): JsonObject => {
  const head = isJsonObject(rule['head']) ? rule['head'] : {};
  const { name: _name, ...spoken } = head;
  return { ...rule, head: { ...spoken, ref: objects(head['ref']).slice(1) }, annotations: [] };
};

const placeOf = (node: JsonObject): Pick<RegoRule, 'file' | 'line'> => {
  const { file, row } = isJsonObject(node['location']) ? node['location'] : {};
  return { file: String(file ?? ''), line: Number(row ?? 1) };
};

const constantOf = (rule: JsonObject): Pick<RegoRule, 'adds'> => {
  const key = isJsonObject(rule['head']) ? rule['head']['key'] : undefined;
  return isJsonObject(key) && key['type'] === 'string' ? { adds: nameOf(key) } : {};
};

/** The rules of one module. `module` is OPA's JSON syntax tree, with locations. */
export const rulesOf = (module: JsonObject): readonly RegoRule[] => {
  const scope = scopeOf(module);
  return objects(module['rules']).map((rule) => {
    const found = { paths: [] as (readonly string[])[], replaces: false };
    collect(bodyParts(rule), found);
    const paths = found.paths.map((path) => resolve(path, scope)).filter((path) => path !== undefined);
    return {
      path: [...scope.packagePath, ruleName(rule)].join('.'),
      ...placeOf(rule),
      ...constantOf(rule),
      inputs: paths.filter(([head]) => head === 'input').map((path) => path.slice(1)),
      data: paths.filter(([head]) => head === 'data').map((path) => path.slice(1)),
      replaces: found.replaces,
    };
  });
};
