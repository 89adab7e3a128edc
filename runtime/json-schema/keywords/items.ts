// Keywords of arrays (JSON Schema 2020-12 Core §10.3.1, Validation §6.4). A list under `items`, with `additionalItems`
// after it, is how drafts before 2020-12 said `prefixItems` and `items`; servers still write it.

import type { Json } from '#core/json.ts';
import {
  arrayFrom,
  countFrom,
  type Keyword,
  type Keywords,
  type Site,
} from '#runtime/json-schema/keyword.ts';
import { canonicalOf } from '#runtime/json-schema/keywords/values.ts';
import type { Check, Run } from '#runtime/json-schema/run.ts';
import { unusable } from '#runtime/json-schema/unusable.ts';

const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);

const count =
  (keyword: string, fits: (length: number, limit: number) => boolean): Keyword =>
  (value) => {
    const limit = countFrom(value);
    return (given, run) => !isArray(given) || fits(given.length, limit) || run.fail(keyword);
  };

const at = (key: number, keyword: string) => ({ key, named: true, keyword });

const evaluatedUpTo = (run: Run, end: number): true => {
  if (run.evaluated !== undefined) run.evaluated.prefix = Math.max(run.evaluated.prefix, end);
  return true;
};

const tuple = (value: Json, site: Site, keyword: string): Check => {
  const checks = arrayFrom(value).map((schema) => site.check(schema));
  return (given, run) => {
    if (!isArray(given)) return true;
    const end = Math.min(checks.length, given.length);
    run.spend(end);
    for (let index = 0; index < end; index += 1)
      if (!run.child(checks[index] as Check, given[index] as Json, at(index, keyword))) return false;
    return evaluatedUpTo(run, end);
  };
};

const rest =
  (check: Check, start: number, keyword: string): Check =>
  (given, run) => {
    if (!isArray(given)) return true;
    run.spend(given.length);
    for (let index = start; index < given.length; index += 1)
      if (!run.child(check, given[index] as Json, at(index, keyword))) return false;
    return evaluatedUpTo(run, given.length);
  };

const lengthOf = (value: Json | undefined): number => (Array.isArray(value) ? value.length : 0);

const items: Keyword = (value, site) =>
  Array.isArray(value)
    ? tuple(value as Json, site, 'items')
    : rest(site.check(value), lengthOf(site.schema['prefixItems']), 'items');

const additionalItems: Keyword = (value, site) => {
  const first = site.schema['items'];
  return Array.isArray(first) ? rest(site.check(value), first.length, 'additionalItems') : undefined;
};

const contains: Keyword = (value, site) => {
  const check = site.check(value);
  const { minContains = 1, maxContains } = site.schema;
  const least = countFrom(minContains);
  const most = maxContains === undefined ? Infinity : countFrom(maxContains);
  const tooFew = minContains === 1 ? 'contains' : 'minContains';
  return (given, run) => {
    if (!isArray(given)) return true;
    run.spend(given.length);
    const found = given.flatMap((item, index) => (run.attemptApart(check, item) ? [index] : []));
    for (const index of found) run.evaluated?.items.add(index);
    if (found.length > most) return run.fail('maxContains');
    return found.length >= least || run.fail(tooFew);
  };
};

const identityOf = (value: Json, run: Run): string | number | boolean =>
  typeof value === 'object' ? canonicalOf(value, run) : typeof value === 'string' ? `"${value}` : value;

/** By a set of canonical texts: comparing every pair would take hours for a list that a server makes long enough. */
const uniqueItems: Keyword = (value) => {
  if (typeof value !== 'boolean') return unusable('keyword');
  if (!value) return undefined;
  return (given, run) => {
    if (!isArray(given)) return true;
    run.spend(given.length);
    return (
      new Set(given.map((item) => identityOf(item, run))).size === given.length || run.fail('uniqueItems')
    );
  };
};

const unevaluatedItems: Keyword = (value, site) => {
  const check = site.check(value);
  return (given, run) => {
    if (!isArray(given)) return true;
    const { prefix = 0, items: seen } = run.evaluated ?? {};
    run.spend(given.length);
    for (let index = prefix; index < given.length; index += 1)
      if (seen?.has(index) !== true && !run.child(check, given[index] as Json, at(index, 'unevaluatedItems')))
        return false;
    return evaluatedUpTo(run, given.length);
  };
};

export const ITEM_KEYWORDS: Keywords = {
  maxItems: count('maxItems', (length, limit) => length <= limit),
  minItems: count('minItems', (length, limit) => length >= limit),
  uniqueItems,
  prefixItems: (value, site) => tuple(value, site, 'prefixItems'),
  items,
  additionalItems,
  contains,
};

export const UNEVALUATED_ITEMS: Keywords = { unevaluatedItems };
