// The marks of all tenants, found by what is known of a credential: a call costs three or four lookups, whether there is
// one mark or a hundred thousand. It only grows: a mark that is taken twice, late or out of order changes nothing, so
// nothing has to be replaced whole for one more. What it holds is also its log, for a copy on disk. Knows no clock.

import { type CredentialFacts, callerKeys, type Revocation, targetKey, tokenKey } from '#core/revocation.ts';

/** What was taken up to a moment: the first `length` of a list that is only ever added to. */
export type RevocationLog = { readonly entries: readonly Revocation[]; readonly length: number };

export const EMPTY_LOG: RevocationLog = { entries: [], length: 0 };

export type RevocationBook = {
  /** The mark that refuses this credential, if one does. */
  find(tenantId: string, facts: CredentialFacts): Revocation | undefined;
  /** Sessions of the caller that began before this are dead: seconds since the epoch, 0 where all may live. */
  sessionsFrom(tenantId: string, facts: CredentialFacts): number;
};

export type GrowingBook = RevocationBook & {
  /** False: nothing new. */
  take(revocation: Revocation, nowSeconds: number): boolean;
  log(): RevocationLog;
  size(): number;
};

/** Shortest log that is gone through for marks that have ended or moved. */
const MIN_FULL = 1_000;

class Book implements GrowingBook {
  readonly #byTenant = new Map<string, Map<string, Revocation>>();
  #log: Revocation[] = [];
  #size = 0;
  /** Length of the log at which those that have ended are let go of. */
  #fullAt = MIN_FULL;

  take(revocation: Revocation, nowSeconds: number): boolean {
    if (revocation.until <= nowSeconds) return false;
    const marks = this.#byTenant.get(revocation.tenantId) ?? new Map<string, Revocation>();
    this.#byTenant.set(revocation.tenantId, marks);
    const key = targetKey(revocation.target);
    const known = marks.get(key);
    if (known !== undefined && known.notBefore >= revocation.notBefore) return false;
    if (known === undefined) this.#size += 1;
    marks.set(key, revocation);
    this.#log.push(revocation);
    if (this.#log.length >= this.#fullAt) this.#sweep(nowSeconds);
    return true;
  }

  find(tenantId: string, facts: CredentialFacts): Revocation | undefined {
    const marks = this.#byTenant.get(tenantId);
    if (marks === undefined) return undefined;
    const named = tokenKey(facts);
    const ofToken = named === undefined ? undefined : marks.get(named);
    if (ofToken !== undefined) return ofToken;
    const latest = latestOf(marks, facts);
    return latest !== undefined && facts.issuedAt < latest.notBefore ? latest : undefined;
  }

  sessionsFrom(tenantId: string, facts: CredentialFacts): number {
    const marks = this.#byTenant.get(tenantId);
    return marks === undefined ? 0 : (latestOf(marks, facts)?.notBefore ?? 0);
  }

  log(): RevocationLog {
    return { entries: this.#log, length: this.#log.length };
  }

  size(): number {
    return this.#size;
  }

  /** Lets go of what has ended. The list is a new one, so that whoever holds the old log sees that it is another. */
  #sweep(nowSeconds: number): void {
    const held = [...this.#byTenant.values()].flatMap((marks) => [...marks.values()]);
    this.#log = held.filter(({ until }) => until > nowSeconds);
    this.#size = this.#log.length;
    this.#fullAt = 2 * this.#size + MIN_FULL;
    this.#byTenant.clear();
    for (const revocation of this.#log) {
      const marks = this.#byTenant.get(revocation.tenantId) ?? new Map<string, Revocation>();
      marks.set(targetKey(revocation.target), revocation);
      this.#byTenant.set(revocation.tenantId, marks);
    }
  }
}

const latestOf = (marks: ReadonlyMap<string, Revocation>, facts: CredentialFacts): Revocation | undefined =>
  callerKeys(facts)
    .flatMap((key) => marks.get(key) ?? [])
    .reduce<Revocation | undefined>(
      (latest, mark) => (latest === undefined || mark.notBefore > latest.notBefore ? mark : latest),
      undefined,
    );

/** A book with nothing in it. */
export const createRevocationBook = (): GrowingBook => new Book();
