// The form of a keyword: what it makes of its value when a schema is made ready.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { LinearPattern } from '#runtime/json-schema/linear-pattern.ts';
import type { Resource, Target } from '#runtime/json-schema/resources.ts';
import type { Check } from '#runtime/json-schema/run.ts';
import { unusable } from '#runtime/json-schema/unusable.ts';

/** The schema a keyword stands in, and the means to make others ready. */
export type Site = {
  readonly schema: JsonObject;
  readonly resource: Resource;
  /** The check of a schema beneath this one. */
  check(schema: Json): Check;
  /** The check of what a reference leads to; it may lead back here. */
  target(target: Target): Check;
  resolve(reference: string): Target;
  /** Every resource with a dynamic anchor of this name. */
  dynamicTargets(name: string): ReadonlyMap<Resource, Check>;
  pattern(source: string): LinearPattern;
};

/** Throws UnusableSchema where the value is none that the keyword can have. Undefined: nothing to check. */
export type Keyword = (value: Json, site: Site) => Check | undefined;

export type Keywords = Readonly<Record<string, Keyword>>;

export const numberFrom = (value: Json): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : unusable('keyword');

/** A length or a count. */
export const countFrom = (value: Json | undefined): number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : unusable('keyword');

export const stringFrom = (value: Json): string => (typeof value === 'string' ? value : unusable('keyword'));

export const arrayFrom = (value: Json): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : unusable('keyword');

export const stringsFrom = (value: Json): readonly string[] => arrayFrom(value).map(stringFrom);

export const mapFrom = (value: Json): ReadonlyMap<string, Json> =>
  isJsonObject(value) ? new Map(Object.entries(value)) : unusable('keyword');

/** A list of schemas, of which there is at least one. */
export const checksFrom = (value: Json, site: Site): readonly Check[] => {
  const checks = arrayFrom(value).map((schema) => site.check(schema));
  return checks.length > 0 ? checks : unusable('keyword');
};
