/** Slots in date order, kept up to date with additions and removals. @module */

/** With more new slots than this, everything is sorted again instead of inserting each. */
const smallAddition = 64;

export class DateOrder {
  readonly #received: (slot: number) => number;
  readonly #id: (slot: number) => number;
  /** The oldest first; slots of the same time by id. May contain removed slots. */
  #sorted = new Uint32Array(0);
  readonly #added = new Set<number>();
  readonly #removed = new Set<number>();

  constructor(received: (slot: number) => number, id: (slot: number) => number) {
    this.#received = received;
    this.#id = id;
  }

  /** Notes that a slot was added; one that is in already stays. */
  add(slot: number): void {
    this.#added.add(slot);
  }

  /** Notes that a slot is being removed, or its date changed. Call it before the change. */
  remove(slot: number): void {
    this.#removed.add(slot);
    this.#added.delete(slot);
  }

  #compare(a: number, b: number): number {
    return this.#received(a) - this.#received(b) || this.#id(a) - this.#id(b);
  }

  /**
   * Applies the noted changes.
   * @param count slots in all
   */
  sortIfNeeded(count: number, isLive: (slot: number) => boolean): void {
    if (this.#added.size === 0 && this.#removed.size === 0) return;
    const added = [...this.#added];
    if (added.length + this.#removed.size > smallAddition) {
      const all: number[] = [];
      for (let slot = 0; slot < count; slot++) if (isLive(slot)) all.push(slot);
      // Mail mostly comes in date order: then there is nothing to sort.
      let ordered = true;
      for (let i = 1; i < all.length && ordered; i++) {
        ordered = this.#compare(all[i - 1], all[i]) <= 0;
      }
      if (!ordered) all.sort((a, b) => this.#compare(a, b));
      this.#sorted = Uint32Array.from(all);
    } else {
      const gone = this.#removed;
      const stay = gone.size === 0 ? this.#sorted : this.#sorted.filter((slot) => !gone.has(slot));
      const present = added.filter((slot) => gone.has(slot) || !this.#has(stay, slot))
        .sort((a, b) => this.#compare(a, b));
      const merged = new Uint32Array(stay.length + present.length);
      let at = 0;
      let next = 0;
      for (let i = 0; i < merged.length; i++) {
        const takeNew = next < present.length &&
          (at >= stay.length || this.#compare(present[next], stay[at]) < 0);
        merged[i] = takeNew ? present[next++] : stay[at++];
      }
      this.#sorted = merged;
    }
    this.#added.clear();
    this.#removed.clear();
  }

  #has(list: Uint32Array, slot: number): boolean {
    let lo = 0;
    let hi = list.length;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if (this.#compare(list[mid], slot) < 0) lo = mid + 1;
      else hi = mid;
    }
    return list[lo] === slot;
  }

  /** The slots, the oldest first. Not to be changed. */
  get slots(): Uint32Array {
    return this.#sorted;
  }
}
