// Keywords that hold the same value against further schemas (JSON Schema 2020-12 Core §10.2), and references (§8.2.3).

import { checksFrom, type Keyword, type Keywords, stringFrom } from '#runtime/json-schema/keyword.ts';
import type { Resource } from '#runtime/json-schema/resources.ts';
import type { Check, Run } from '#runtime/json-schema/run.ts';

/** Branches that cost about as much as one step to turn to, whatever they hold. */
const BRANCHES_A_STEP = 8;

const allOf: Keyword = (value, site) => {
  const checks = checksFrom(value, site);
  return (given, run) => {
    run.spend(checks.length / BRANCHES_A_STEP);
    return checks.every((check) => check(given, run));
  };
};

const anyOf: Keyword = (value, site) => {
  const checks = checksFrom(value, site);
  return (given, run) => {
    run.spend(checks.length / BRANCHES_A_STEP);
    // What every branch that fits has looked at counts, so all are tried where that is asked for.
    const fits =
      run.evaluated === undefined
        ? checks.some((check) => run.attempt(check, given))
        : checks.filter((check) => run.attempt(check, given)).length > 0;
    return fits || run.fail('anyOf');
  };
};

const oneOf: Keyword = (value, site) => {
  const checks = checksFrom(value, site);
  return (given, run) => {
    run.spend(checks.length / BRANCHES_A_STEP);
    let fitting = 0;
    for (const check of checks) if (run.attempt(check, given)) fitting += 1;
    return fitting === 1 || run.fail('oneOf');
  };
};

const not: Keyword = (value, site) => {
  const check = site.check(value);
  return (given, run) => !run.attemptApart(check, given) || run.fail('not');
};

const conditional: Keyword = (value, site) => {
  const condition = site.check(value);
  const { then: whenSo, else: otherwise } = site.schema;
  const consequence = whenSo === undefined ? undefined : site.check(whenSo);
  const alternative = otherwise === undefined ? undefined : site.check(otherwise);
  return (given, run) => {
    const branch = run.attempt(condition, given) ? consequence : alternative;
    return branch === undefined || branch(given, run);
  };
};

const enterResource = (run: Run, resource: Resource, work: () => boolean): boolean => {
  run.scope.push(resource);
  const fits = work();
  run.scope.pop();
  return fits;
};

const reference: Keyword = (value, site) => {
  const target = site.resolve(stringFrom(value));
  const check = site.target(target);
  if (target.resource === site.resource) return check;
  return (given, run) => enterResource(run, target.resource, () => check(given, run));
};

/** Leads to the outermost resource entered that has a dynamic anchor of the same name (Core §8.2.3.2). */
const dynamicReference: Keyword = (value, site) => {
  const target = site.resolve(stringFrom(value));
  if (target.dynamic === undefined) return reference(value, site);
  const checks = site.dynamicTargets(target.dynamic);
  const fallback = site.target(target);
  const find = (run: Run): readonly [Resource, Check] => {
    for (const resource of run.scope) {
      const check = checks.get(resource);
      if (check !== undefined) return [resource, check];
    }
    return [target.resource, fallback];
  };
  return (given, run) => {
    const [resource, check] = find(run);
    return enterResource(run, resource, () => check(given, run));
  };
};

export const IN_PLACE_KEYWORDS: Keywords = {
  $ref: reference,
  $dynamicRef: dynamicReference,
  allOf,
  anyOf,
  oneOf,
  not,
  if: conditional,
};
