// Makes a schema ready: every schema in it becomes one function, made once, and nothing of it is ever run as code. Pure.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { Keywords, Site } from '#runtime/json-schema/keyword.ts';
import { IN_PLACE_KEYWORDS } from '#runtime/json-schema/keywords/in-place.ts';
import { ITEM_KEYWORDS, UNEVALUATED_ITEMS } from '#runtime/json-schema/keywords/items.ts';
import { MEMBER_KEYWORDS, UNEVALUATED_MEMBERS } from '#runtime/json-schema/keywords/members.ts';
import { VALUE_KEYWORDS } from '#runtime/json-schema/keywords/values.ts';
import { createPatterns } from '#runtime/json-schema/linear-pattern.ts';
import { type Place, type Resource, surveyResources } from '#runtime/json-schema/resources.ts';
import { type Check, Evaluated, Run } from '#runtime/json-schema/run.ts';
import { surveySize } from '#runtime/json-schema/schema-size.ts';
import { unusable } from '#runtime/json-schema/unusable.ts';

/** In the order they are asked in: what is cheap and refuses most first, what goes by the others last. */
const KEYWORDS: Keywords = { ...VALUE_KEYWORDS, ...MEMBER_KEYWORDS, ...ITEM_KEYWORDS, ...IN_PLACE_KEYWORDS };
const LAST: Keywords = { ...UNEVALUATED_ITEMS, ...UNEVALUATED_MEMBERS };

/** Those whose vocabulary is read here: 2020-12, and what its forerunners wrote otherwise where it cannot be mistaken. */
const DIALECT = /^https?:\/\/json-schema\.org\/(?:draft\/(?:2020-12|2019-09)|draft-0[67])\/schema#?$/;

/** Forms of the drafts between that 2020-12 has no reading for. */
const RETIRED = ['$recursiveRef', '$recursiveAnchor'];

const ALWAYS: Check = () => true;
const NEVER: Check = (_, run) => run.fail('false');

const entering =
  (checks: readonly Check[]): Check =>
  (value, run) => {
    run.enter();
    for (const check of checks)
      if (!check(value, run)) {
        run.leave();
        return false;
      }
    run.leave();
    return true;
  };

/** Notes what is looked at within, for the `unevaluated…` keywords that end it. */
const noting =
  (check: Check): Check =>
  (value, run) => {
    const outer = run.evaluated;
    const own = new Evaluated();
    run.evaluated = own;
    const fits = check(value, run);
    run.evaluated = outer;
    if (fits && outer !== undefined) run.note(own, outer);
    return fits;
  };

const inResource =
  (check: Check, resource: Resource): Check =>
  (value, run) => {
    run.scope.push(resource);
    const fits = check(value, run);
    run.scope.pop();
    return fits;
  };

class Builder {
  readonly #resources: ReturnType<typeof surveyResources>;
  readonly #pattern = createPatterns();
  readonly #checks = new Map<JsonObject, Check>();
  readonly #dynamic = new Map<string, ReadonlyMap<Resource, Check>>();
  // References are followed in turn and not at once: a chain of them may be as long as the schema.
  readonly #owed: (() => void)[] = [];

  constructor(root: JsonObject) {
    this.#resources = surveyResources(root);
  }

  build(): (steps: number) => { readonly check: Check; readonly run: Run } {
    const { root } = this.#resources;
    const check = this.#checkAt({ schema: root.root, resource: root });
    for (let pay = this.#owed.pop(); pay !== undefined; pay = this.#owed.pop()) pay();
    return (steps) => ({ check, run: new Run(steps, root) });
  }

  #checkAt({ schema, resource }: Place): Check {
    if (schema === true) return ALWAYS;
    if (schema === false) return NEVER;
    if (!isJsonObject(schema)) return unusable('keyword');
    const known = this.#checks.get(schema);
    if (known !== undefined) return known;
    let made: Check = NEVER;
    this.#checks.set(schema, (value, run) => made(value, run));
    made = this.#make(schema, this.#resources.homeOf(schema) ?? resource);
    this.#checks.set(schema, made);
    return made;
  }

  #later(place: Place): Check {
    let made: Check = NEVER;
    this.#owed.push(() => {
      made = this.#checkAt(place);
    });
    return (value, run) => made(value, run);
  }

  #make(schema: JsonObject, resource: Resource): Check {
    if (RETIRED.some((keyword) => Object.hasOwn(schema, keyword))) return unusable('keyword');
    const site = this.#siteOf(schema, resource);
    const first = this.#checksOf(KEYWORDS, site);
    const last = this.#checksOf(LAST, site);
    const check = entering([...first, ...last]);
    const noted = last.length > 0 ? noting(check) : check;
    return resource.root === schema ? inResource(noted, resource) : noted;
  }

  #checksOf(keywords: Keywords, site: Site): readonly Check[] {
    return Object.entries(keywords).flatMap(([name, keyword]) => {
      const value = Object.hasOwn(site.schema, name) ? site.schema[name] : undefined;
      const check = value === undefined ? undefined : keyword(value, site);
      return check === undefined ? [] : [check];
    });
  }

  #siteOf(schema: JsonObject, resource: Resource): Site {
    return {
      schema,
      resource,
      check: (inner) => this.#checkAt({ schema: inner, resource }),
      target: (target) => this.#later(target),
      resolve: (reference) => this.#resources.resolve(reference, resource),
      dynamicTargets: (name) => this.#dynamicTargets(name),
      pattern: this.#pattern,
    };
  }

  #dynamicTargets(name: string): ReadonlyMap<Resource, Check> {
    const known = this.#dynamic.get(name);
    if (known !== undefined) return known;
    const targets = new Map<Resource, Check>();
    this.#dynamic.set(name, targets);
    for (const resource of this.#resources.all) {
      const schema = resource.dynamic.get(name);
      if (schema !== undefined) targets.set(resource, this.#later({ schema, resource }));
    }
    return targets;
  }
}

const isKnownDialect = (dialect: Json | undefined): boolean =>
  dialect === undefined || (typeof dialect === 'string' && DIALECT.test(dialect));

/**
 * Makes a schema ready. Throws UnusableSchema.
 * @returns for so many steps, the check of the whole and a run to give it.
 */
export const buildCheck = (
  schema: JsonObject,
): ((steps: number) => { readonly check: Check; readonly run: Run }) => {
  surveySize(schema);
  if (!isKnownDialect(schema['$schema'])) return unusable('dialect');
  return new Builder(schema).build();
};
