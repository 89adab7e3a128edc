// The breakers of one process, by name. One that is closed and has nothing to remember is not kept, and the rest are
// bounded: an open one that is forgotten costs one question.

import { LRUCache } from 'lru-cache';
import { err, ok, type Result } from '#core/result.ts';
import {
  type Admission,
  admit,
  type Breaker,
  type BreakerRules,
  CLOSED,
  type Experience,
  settle,
} from '#ext-authz/token/gate/breaker.ts';

const MAX_BREAKERS = 10_000;

export type NamedBreaker = {
  readonly name: string;
  readonly rules: BreakerRules;
};

/** What an exchange that was let go has to say in the end, once: for each breaker it passed, in their order. */
export type Report = (caller: string, experiences: readonly Experience[]) => void;

export type NotAdmitted = Extract<Admission, { kind: 'waits' }>;

export type Breakers = {
  /** Why an exchange would not be let go; undefined if it would. */
  look(names: readonly NamedBreaker[]): NotAdmitted | undefined;
  /** Lets an exchange go through all of the breakers or through none. */
  pass(names: readonly NamedBreaker[]): Result<Report, NotAdmitted>;
  /** Names of those that let nobody go, or one to try. */
  open(): readonly string[];
};

export type BreakerParts = {
  /** Monotonic, milliseconds. */
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Told when a breaker has become another kind. */
  readonly onChange: (name: string, after: Breaker) => void;
};

class BreakerBoard implements Breakers {
  readonly #parts: BreakerParts;
  readonly #kept = new LRUCache<string, Breaker>({ max: MAX_BREAKERS });

  constructor(parts: BreakerParts) {
    this.#parts = parts;
  }

  look(names: readonly NamedBreaker[]): NotAdmitted | undefined {
    return this.#admissions(names).find((admission) => admission.kind === 'waits');
  }

  pass(names: readonly NamedBreaker[]): Result<Report, NotAdmitted> {
    const admissions = this.#admissions(names);
    const refusal = admissions.find((admission) => admission.kind === 'waits');
    if (refusal !== undefined) return err(refusal);
    const tries = admissions.map((admission, index) => {
      if (admission.kind === 'goes') this.#keep(names[index]?.name ?? '', admission.breaker);
      return admission.kind === 'goes' && admission.isTry;
    });
    return ok((caller, experiences) => {
      names.forEach(({ name, rules }, index) => {
        const experience = experiences[index] ?? { kind: 'unknown' };
        this.#settle(name, rules, { experience, isTry: tries[index] ?? false, caller });
      });
    });
  }

  open(): readonly string[] {
    return [...this.#kept.entries()].filter(([, { kind }]) => kind !== 'closed').map(([name]) => name);
  }

  #admissions(names: readonly NamedBreaker[]): readonly Admission[] {
    const nowMs = this.#parts.nowMs();
    return names.map(({ name }) => admit(this.#kept.get(name) ?? CLOSED, nowMs));
  }

  #settle(
    name: string,
    rules: BreakerRules,
    outcome: { readonly experience: Experience; readonly isTry: boolean; readonly caller: string },
  ): void {
    const before = this.#kept.get(name) ?? CLOSED;
    const { nowMs, random } = this.#parts;
    this.#keep(name, settle(before, rules, { ...outcome, nowMs: nowMs(), random: random() }));
  }

  #keep(name: string, after: Breaker): void {
    const before = this.#kept.get(name) ?? CLOSED;
    if (after.kind === 'closed' && after.failing.length === 0) this.#kept.delete(name);
    else this.#kept.set(name, after);
    if (after.kind !== before.kind) this.#parts.onChange(name, after);
  }
}

/** All closed. */
export const createBreakers = (parts: BreakerParts): Breakers => new BreakerBoard(parts);
