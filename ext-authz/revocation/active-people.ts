// Who of a directory holds a token that was seen and still lives: the people worth looking at. Bounded; whoever is
// forgotten is known again with the next call.

/** Times are seconds since the epoch. */
export type ActivePerson = {
  /** When the last of the tokens ends that were seen. */
  readonly until: number;
  /** Of the oldest token that no mark has ended yet; absent: all that were seen are ended. */
  readonly oldestIssuedAt?: number;
  /** Tokens from then and before are ended. */
  readonly endedUntil: number;
};

export type ActivePeople = {
  note(token: { readonly oid: string; readonly issuedAt: number; readonly expiresAt: number }): void;
  /** Whoever has a token to end. */
  find(oid: string, nowSeconds: number): ActivePerson | undefined;
  /** Object ids of at most `count` of those, the longest not looked at first; they count as looked at from now on. */
  take(count: number, nowSeconds: number): readonly string[];
  /** The tokens of somebody issued until then are ended. */
  ended(oid: string, issuedUntil: number): void;
};

/** About 10 MB. */
const MAX_PEOPLE = 50_000;

const STRANGER: ActivePerson = { until: 0, endedUntil: 0 };

const hasTokens = ({ until, oldestIssuedAt }: ActivePerson, nowSeconds: number): boolean =>
  until > nowSeconds && oldestIssuedAt !== undefined;

/** Nobody yet. */
export const createActivePeople = (maxPeople: number = MAX_PEOPLE): ActivePeople => {
  /** In the order in which they are to be looked at. */
  const people = new Map<string, ActivePerson>();

  const add = (oid: string, person: ActivePerson): void => {
    const [first] = people.keys();
    if (first !== undefined && people.size >= maxPeople && !people.has(oid)) people.delete(first);
    people.set(oid, person);
  };

  const putLast = (oid: string, person: ActivePerson): void => {
    people.delete(oid);
    people.set(oid, person);
  };

  return {
    note: ({ oid, issuedAt, expiresAt }) => {
      const known = people.get(oid) ?? STRANGER;
      if (issuedAt <= known.endedUntil) return;
      const oldestIssuedAt = Math.min(known.oldestIssuedAt ?? issuedAt, issuedAt);
      const until = Math.max(known.until, expiresAt);
      if (oldestIssuedAt === known.oldestIssuedAt && until === known.until) return;
      add(oid, { ...known, oldestIssuedAt, until });
    },
    find: (oid, nowSeconds) => {
      const person = people.get(oid);
      return person !== undefined && hasTokens(person, nowSeconds) ? person : undefined;
    },
    take: (count, nowSeconds) => {
      const taken: string[] = [];
      // Whoever is put last comes round again in the same walk: it ends after as many steps as there were people.
      let steps = people.size;
      for (const [oid, person] of people) {
        if (steps === 0 || taken.length === count) break;
        steps -= 1;
        if (person.until <= nowSeconds) people.delete(oid);
        else if (hasTokens(person, nowSeconds)) {
          putLast(oid, person);
          taken.push(oid);
        }
      }
      return taken;
    },
    ended: (oid, issuedUntil) => {
      const known = people.get(oid);
      if (known === undefined) return;
      const { oldestIssuedAt, ...rest } = known;
      const remains = oldestIssuedAt !== undefined && oldestIssuedAt > issuedUntil;
      const endedUntil = Math.max(known.endedUntil, issuedUntil);
      people.set(oid, { ...rest, ...(remains ? { oldestIssuedAt } : {}), endedUntil });
    },
  };
};
