/** The webmail's list: what is selected. */
import assert from "node:assert/strict";
import { newSelection } from "../../../webmail/mail/list/selection.ts";

const lines = [1, 2, 3, 4, 5];
const order = () => lines;

Deno.test("a selection: one line, more of them, a range from where it began", () => {
  const s = newSelection();
  assert.deepEqual([...s.pick(2, "only", order)], [2]);
  assert.deepEqual([s.ids(), s.focused], [[2], 2]);
  s.pick(4, "toggle", order);
  assert.deepEqual([s.ids(), s.focused], [[2, 4], 4]);
  s.pick(2, "toggle", order);
  assert.deepEqual(s.ids(), [4]);
  // From the line that was picked last, in either direction.
  s.pick(5, "range", order);
  assert.deepEqual(s.ids(), [2, 3, 4, 5]);
  s.pick(1, "range", order);
  assert.deepEqual(s.ids(), [1, 2]);
  assert.deepEqual([s.has(2), s.has(3), s.size], [true, false, 2]);
});

Deno.test("a selection tells which lines may look different", () => {
  const s = newSelection();
  s.pick(1, "only", order);
  const changed = (ids: Set<number>) => [...ids].sort();
  assert.deepEqual(changed(s.pick(3, "only", order)), [1, 3]);
  assert.deepEqual(changed(s.pick(5, "range", order)), [3, 4, 5]);
  assert.deepEqual(changed(s.clear()), [3, 4, 5]);
  assert.deepEqual(changed(s.selectAll(lines)), lines);
  s.drop([1, 2]);
  assert.deepEqual(s.ids(), [3, 4, 5]);
  // The focus is told of also where it is not selected.
  assert.equal(s.focused, 5);
  s.clear();
  assert.deepEqual(changed(s.pick(1, "only", order)), [1, 5]);
  s.reset();
  assert.deepEqual([s.ids(), s.focused], [[], undefined]);
});
