// One value on its way through a schema: what it may still cost, the fault found, and which members and items have been
// looked at (the annotations that the `unevaluated…` keywords go by). Thrown away after one value.

import type { Json } from '#core/json.ts';
import type { Resource } from '#runtime/json-schema/resources.ts';
import type { FaultStep, SchemaFault } from '#runtime/json-schema/verdict.ts';

/** One schema, or one keyword of it, made ready. @returns false where the value does not fit; the run holds the fault. */
export type Check = (value: Json, run: Run) => boolean;

/** Schemas open at once, by nesting or by reference; each takes a few frames of the stack. */
const MAX_DEPTH = 512;

/** Ends a run from any depth; caught in judge-by-schema.ts. */
export const EXHAUSTED = Symbol('exhausted');

/** Names and places that some keyword has looked at. */
export class Evaluated {
  readonly members = new Set<string>();
  readonly items = new Set<number>();
  /** All items before this one. */
  prefix = 0;
}

/** Where a value stands in the one around it, and the keyword that leads to it. */
export type ChildPlace = FaultStep & { readonly keyword: string };

export class Run {
  /** Undefined where nothing asks for it. */
  evaluated: Evaluated | undefined;
  /** Resources entered, the outermost first: what `$dynamicRef` is resolved by. */
  readonly scope: Resource[];
  #left: number;
  #depth = 0;
  #muted = 0;
  #keyword: string | undefined;
  // From the fault outwards.
  readonly #path: FaultStep[] = [];

  constructor(steps: number, root: Resource) {
    this.#left = steps;
    this.scope = [root];
  }

  /** Pays for work. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw EXHAUSTED;
  }

  enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw EXHAUSTED;
    this.spend(1);
  }

  leave(): void {
    this.#depth -= 1;
  }

  /** @returns false, for the check that found the fault. */
  fail(keyword: string): false {
    if (this.#muted === 0) {
      this.#keyword = keyword;
      this.#path.length = 0;
    }
    return false;
  }

  /** Holds a member or an item against its own schema. */
  child(check: Check, value: Json, place: ChildPlace): boolean {
    const kept = this.evaluated;
    this.evaluated = undefined;
    const fits = check(value, this);
    this.evaluated = kept;
    if (!fits) this.#within(place);
    return fits;
  }

  /** Holds a value against a schema that it need not fit: faults are not kept, and what was looked at only if it fits. */
  attempt(check: Check, value: Json): boolean {
    const kept = this.evaluated;
    if (kept !== undefined) this.evaluated = new Evaluated();
    this.#muted += 1;
    const fits = check(value, this);
    this.#muted -= 1;
    if (kept !== undefined && this.evaluated !== undefined && fits) this.note(this.evaluated, kept);
    this.evaluated = kept;
    return fits;
  }

  /** The same for a value that stands apart: nothing of what is looked at in it counts for this one. */
  attemptApart(check: Check, value: Json): boolean {
    const kept = this.evaluated;
    this.evaluated = undefined;
    const fits = this.attempt(check, value);
    this.evaluated = kept;
    return fits;
  }

  /** Adds what was looked at in one schema to what was in the one around it. */
  note(inner: Evaluated, outer: Evaluated): void {
    this.spend(inner.members.size + inner.items.size);
    for (const name of inner.members) outer.members.add(name);
    for (const item of inner.items) outer.items.add(item);
    outer.prefix = Math.max(outer.prefix, inner.prefix);
  }

  fault(): SchemaFault {
    return { keyword: this.#keyword ?? 'false', path: this.#path.toReversed() };
  }

  #within({ key, named, keyword }: ChildPlace): void {
    if (this.#muted > 0) return;
    // A schema that is `false` has no keyword of its own.
    if (this.#keyword === 'false') this.#keyword = keyword;
    this.#path.push({ key, named });
  }
}
