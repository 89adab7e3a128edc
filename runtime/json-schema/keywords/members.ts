// Keywords of objects (JSON Schema 2020-12 Core §10.3.2, Validation §6.5). Only members of the object itself count:
// `constructor` is there only if it was sent.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import {
  countFrom,
  type Keyword,
  type Keywords,
  mapFrom,
  type Site,
  stringsFrom,
} from '#runtime/json-schema/keyword.ts';
import type { LinearPattern } from '#runtime/json-schema/linear-pattern.ts';
import type { Check, Run } from '#runtime/json-schema/run.ts';

/** A word of the schema in the fault, or `*` where it is the sender's. */
const at = (key: string, keyword: string, named = false) => ({ key, named, keyword });

const count =
  (keyword: string, fits: (size: number, limit: number) => boolean): Keyword =>
  (value) => {
    const limit = countFrom(value);
    return (given, run) => {
      if (!isJsonObject(given)) return true;
      const size = Object.keys(given).length;
      run.spend(size);
      return fits(size, limit) || run.fail(keyword);
    };
  };

const missing = (name: string, run: Run, keyword: string): false => {
  run.child((_, inner) => inner.fail(keyword), null, at(name, keyword, true));
  return false;
};

/** Names of a schema that are looked up for the price of one step. */
const NAMES_A_STEP = 8;

const hasAll = (names: readonly string[], keyword: string): ((given: JsonObject, run: Run) => boolean) => {
  const price = names.length / NAMES_A_STEP;
  return (given, run) => {
    run.spend(price);
    const name = names.find((candidate) => !Object.hasOwn(given, candidate));
    return name === undefined || missing(name, run, keyword);
  };
};

const required: Keyword = (value) => {
  const has = hasAll(stringsFrom(value), 'required');
  return (given, run) => !isJsonObject(given) || has(given, run);
};

const dependent = (value: Json, dependency: (of: Json) => Check): Check => {
  const checks = [...mapFrom(value)].map(([name, of]) => [name, dependency(of)] as const);
  return (given, run) => {
    if (!isJsonObject(given)) return true;
    run.spend(checks.length / NAMES_A_STEP);
    return checks.every(([name, check]) => !Object.hasOwn(given, name) || check(given, run));
  };
};

const namesNeeded = (names: Json, keyword: string): Check => {
  const has = hasAll(stringsFrom(names), keyword);
  return (given, run) => has(given as JsonObject, run);
};

const dependentRequired: Keyword = (value) =>
  dependent(value, (names) => namesNeeded(names, 'dependentRequired'));

const dependentSchemas: Keyword = (value, site) => dependent(value, (schema) => site.check(schema));

/** Both of them in one, as drafts before 2019-09 had it. */
const dependencies: Keyword = (value, site) =>
  dependent(value, (of) => (Array.isArray(of) ? namesNeeded(of as Json, 'dependencies') : site.check(of)));

const propertyNames: Keyword = (value, site) => {
  const check = site.check(value);
  return (given, run) => {
    if (!isJsonObject(given)) return true;
    return Object.keys(given).every((name) => run.child(check, name, at(name, 'propertyNames')));
  };
};

/** `properties`, `patternProperties` and `additionalProperties` as one. */
type MemberRules = {
  readonly named: ReadonlyMap<string, Check>;
  readonly patterns: readonly (readonly [LinearPattern, Check])[];
  readonly others: Check | undefined;
};

const rulesOf = ({ schema, check, pattern }: Site): MemberRules => {
  const { properties = {}, patternProperties = {}, additionalProperties } = schema;
  return {
    named: new Map([...mapFrom(properties)].map(([name, of]) => [name, check(of)])),
    patterns: [...mapFrom(patternProperties)].map(([source, of]) => [pattern(source), check(of)]),
    others: additionalProperties === undefined ? undefined : check(additionalProperties),
  };
};

const fitsMember = (rules: MemberRules, [name, value]: readonly [string, Json], run: Run): boolean => {
  const named = rules.named.get(name);
  if (named !== undefined && !run.child(named, value, at(name, 'properties', true))) return false;
  let met = named !== undefined;
  for (const [pattern, check] of rules.patterns) {
    if (!pattern.test(name, run)) continue;
    met = true;
    if (!run.child(check, value, at(name, 'patternProperties', named !== undefined))) return false;
  }
  if (!met && rules.others === undefined) return true;
  if (!met && rules.others !== undefined && !run.child(rules.others, value, at(name, 'additionalProperties')))
    return false;
  run.evaluated?.members.add(name);
  return true;
};

const members: Keyword = (_, site) => {
  const rules = rulesOf(site);
  return (given, run) => {
    if (!isJsonObject(given)) return true;
    const entries = Object.entries(given);
    run.spend(entries.length);
    return entries.every((entry) => fitsMember(rules, entry, run));
  };
};

/** The first of the three that a schema has stands for all of them. */
const TOGETHER = ['properties', 'patternProperties', 'additionalProperties'];

const together =
  (keyword: string): Keyword =>
  (value, site) =>
    TOGETHER.find((candidate) => Object.hasOwn(site.schema, candidate)) === keyword
      ? members(value, site)
      : undefined;

const unevaluatedProperties: Keyword = (value, site) => {
  const check = site.check(value);
  return (given, run) => {
    if (!isJsonObject(given)) return true;
    const entries = Object.entries(given);
    run.spend(entries.length);
    return entries.every(([name, member]) => {
      if (run.evaluated?.members.has(name) === true) return true;
      if (!run.child(check, member, at(name, 'unevaluatedProperties'))) return false;
      run.evaluated?.members.add(name);
      return true;
    });
  };
};

export const MEMBER_KEYWORDS: Keywords = {
  maxProperties: count('maxProperties', (size, limit) => size <= limit),
  minProperties: count('minProperties', (size, limit) => size >= limit),
  required,
  dependentRequired,
  propertyNames,
  ...Object.fromEntries(TOGETHER.map((keyword) => [keyword, together(keyword)])),
  dependentSchemas,
  dependencies,
};

export const UNEVALUATED_MEMBERS: Keywords = { unevaluatedProperties };
