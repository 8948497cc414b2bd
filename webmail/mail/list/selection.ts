/**
 * Which lines of a list are selected, and which has the focus, by the ids of what they show.
 *
 * @module
 */

/** Alone, added or taken away, or all from where the selection began to here. */
export type Pick = "only" | "toggle" | "range";

export interface Selection {
  has(id: number): boolean;
  ids(): number[];
  readonly size: number;
  /** The line that keys start from. */
  focused: number | undefined;
  /** Selects, and focuses the line. Like all methods that change something: returns the lines that may have changed. */
  pick(id: number, how: Pick, order: () => readonly number[]): Set<number>;
  selectAll(ids: readonly number[]): Set<number>;
  clear(): Set<number>;
  /** Lines that no longer exist. */
  drop(ids: readonly number[]): void;
  /** For a new list. */
  reset(): void;
}

/** An empty selection. */
export function newSelection(): Selection {
  let selected = new Set<number>();
  /** Where a selection with shift started. */
  let mark: number | undefined;

  const replace = (ids: Iterable<number>): Set<number> => {
    const before = selected;
    selected = new Set(ids);
    return before.union(selected);
  };

  const self: Selection = {
    has: (id) => selected.has(id),
    ids: () => [...selected],
    get size() {
      return selected.size;
    },
    focused: undefined,
    pick(id, how, order) {
      let changed: Set<number>;
      if (how === "range") {
        const ids = order();
        const a = ids.indexOf(mark ?? id);
        const b = ids.indexOf(id);
        changed = replace(ids.slice(Math.min(a, b), Math.max(a, b) + 1));
      } else {
        changed = replace(how === "only" ? [id] : selected.symmetricDifference(new Set([id])));
        mark = id;
      }
      if (self.focused !== undefined) changed.add(self.focused);
      self.focused = id;
      return changed.add(id);
    },
    selectAll: replace,
    clear: () => replace([]),
    drop: (ids) => ids.forEach((id) => selected.delete(id)),
    reset() {
      selected = new Set();
      self.focused = mark = undefined;
    },
  };
  return self;
}
