// An immutable map of which a changed copy costs what changed, not what is in it: a client that acknowledges one
// resource of thousands, times hundreds of clients, must not copy thousands of entries each time. Changes lie over a
// map that copies share, and are worked into a new one once they have become many. Pure.

const GONE = Symbol('gone');

/** Changes up to this share of the entries below are kept apart. */
const MAX_SHARE = 1 / 16;
const MAX_FEW = 16;

export class LayeredMap<V> implements ReadonlyMap<string, V> {
  readonly #base: ReadonlyMap<string, V>;
  readonly #over: ReadonlyMap<string, V | typeof GONE>;
  readonly size: number;

  private constructor(
    base: ReadonlyMap<string, V>,
    over: ReadonlyMap<string, V | typeof GONE>,
    size: number,
  ) {
    this.#base = base;
    this.#over = over;
    this.size = size;
  }

  static of<V>(entries: Iterable<readonly [string, V]> = []): LayeredMap<V> {
    const base = new Map(entries);
    return new LayeredMap(base, new Map(), base.size);
  }

  /** A copy without some names and with these entries. */
  changed(changes: {
    readonly set: Iterable<readonly [string, V]>;
    readonly drop: Iterable<string>;
  }): LayeredMap<V> {
    const over = new Map(this.#over);
    let size = this.size;
    const put = (name: string, value: V | typeof GONE, isThere: boolean): void => {
      const before = over.get(name);
      const wasThere = before === undefined ? this.#base.has(name) : before !== GONE;
      size += Number(isThere) - Number(wasThere);
      over.set(name, value);
    };
    for (const name of changes.drop) put(name, GONE, false);
    for (const [name, value] of changes.set) put(name, value, true);
    const copy = new LayeredMap(this.#base, over, size);
    return over.size > Math.max(MAX_FEW, this.#base.size * MAX_SHARE) ? LayeredMap.of(copy) : copy;
  }

  get(name: string): V | undefined {
    const value = this.#over.get(name);
    if (value === undefined) return this.#base.get(name);
    return value === GONE ? undefined : value;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  *entries(): MapIterator<[string, V]> {
    for (const [name, value] of this.#base) if (!this.#over.has(name)) yield [name, value];
    for (const [name, value] of this.#over) if (value !== GONE) yield [name, value];
  }

  *keys(): MapIterator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  forEach(use: (value: V, name: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [name, value] of this.entries()) use(value, name, this);
  }
}
