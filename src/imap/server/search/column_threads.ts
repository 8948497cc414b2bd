/**
 * THREAD by columns (store/columns): what sorting.ts does with an object for each message, done with lists of numbers.
 * A node is a message, or a missing one that others refer to ("dummy" in RFC 5256 §3).
 *
 * @module
 */
import type { MailboxId } from "../../../store/ids.ts";
import { giveWay } from "../../../platform/turns.ts";
import type { Account } from "../../../store/account/account.ts";
import {
  type ColumnRows,
  columnRows,
  datesOf,
  textsOf,
} from "../../../store/account/column_rows.ts";
import { valueSeparator } from "../../../store/columns/values.ts";
import { orderOf, rankNumbers } from "../../../store/columns/ranks.ts";

export type ThreadAlgorithm = "ORDEREDSUBJECT" | "REFERENCES" | "REFS";

/** Messages between two looks at the clock. */
const perSlice = 2048;
/** Neither parent nor message. */
const none = -1;

/** Input of the algorithms, one entry per message in uid order. */
interface Messages {
  count: number;
  dates: Float64Array;
  /** Messages in the order of date and uid. */
  order: Uint32Array;
  /** Base subjects, "" for none. */
  subjects: string[];
  /** "1" for a reply's or forward's. */
  replies: string[];
}

async function messagesOf(account: Account, rows: ColumnRows): Promise<Messages | undefined> {
  const dates = await datesOf(account, rows);
  const subjects = await textsOf(account, rows, "sortSubject");
  const replies = await textsOf(account, rows, "reply");
  if (!dates || !subjects || !replies) return undefined;
  const ranks = rankNumbers(dates);
  await giveWay();
  const order = orderOf(ranks);
  return { count: subjects.length, dates, order, subjects, replies };
}

/** Nodes: which message each is, and its parent. */
class Nodes {
  messages: Int32Array;
  parents: Int32Array;
  count = 0;

  constructor(capacity: number) {
    this.messages = new Int32Array(capacity + 16).fill(none);
    this.parents = new Int32Array(capacity + 16).fill(none);
  }

  /** @param message none for a dummy */
  add(message: number): number {
    if (this.count === this.messages.length) {
      const grown = (array: Int32Array) => {
        const b = new Int32Array(this.count * 2).fill(none);
        b.set(array);
        return b;
      };
      this.messages = grown(this.messages);
      this.parents = grown(this.parents);
    }
    this.messages[this.count] = message;
    return this.count++;
  }

  isDummy(n: number): boolean {
    return this.messages[n] === none;
  }
}

/** RFC 5256 §3 step 1: parents by References. Node of each message, and all nodes. */
async function linked(
  messageIds: readonly string[],
  references: readonly string[],
): Promise<{ nodes: Nodes; nodeOf: Int32Array }> {
  const count = messageIds.length;
  const nodes = new Nodes(count * 2);
  const nodeOf = new Int32Array(count);
  const byId = new Map<string, number>();
  const container = (id: string): number => {
    let n = byId.get(id);
    if (n === undefined) byId.set(id, n = nodes.add(none));
    return n;
  };
  /** How many children each node has. */
  let children = new Int32Array(count * 2 + 16);
  // A loop can only arise where the child has children. The search for one is bounded, so that the whole is linear
  // for any references: beyond the bound a message stays a root.
  let steps = 100 * count + 100_000;
  let refused = false;
  const adopt = (parent: number, child: number) => {
    if (children[child] > 0) {
      for (let p = parent; p !== none; p = nodes.parents[p]) {
        if (p === child || --steps < 0) {
          refused = true;
          return;
        }
      }
    }
    nodes.parents[child] = parent;
    if (parent >= children.length) {
      const more = new Int32Array(nodes.messages.length);
      more.set(children);
      children = more;
    }
    children[parent]++;
  };
  for (let i = 0; i < count; i++) {
    if (i % perSlice === 0) await giveWay();
    const id = messageIds[i];
    let n = id === "" ? none : container(id);
    if (n === none || !nodes.isDummy(n)) {
      // It has no id of its own, or one that another message has already.
      n = nodes.add(i);
    } else nodes.messages[n] = i;
    nodeOf[i] = n;
    const refs = references[i];
    if (refs === "") continue;
    let previous = none;
    const lastAt = refs.lastIndexOf(valueSeparator);
    const last = lastAt < 0 ? refs : refs.slice(lastAt + 1);
    const lastNode = container(last);
    const parent = nodes.messages[lastNode];
    const same = parent !== none && nodeOf[parent] === lastNode &&
      references[parent] === (lastAt < 0 ? "" : refs.slice(0, lastAt));
    if (same && !refused && parent !== i) {
      // The parent's references were linked together with the parent, and stay so unless a link was refused.
      previous = lastNode;
    } else if (lastAt < 0) {
      previous = lastNode;
    } else {
      for (const ref of refs.split(valueSeparator)) {
        const r = container(ref);
        if (previous !== none && nodes.parents[r] === none && r !== previous) adopt(previous, r);
        previous = r;
      }
    }
    if (previous !== n) {
      const before = nodes.parents[n];
      if (before !== none) {
        children[before]--;
        nodes.parents[n] = none;
      }
      adopt(previous, n);
    }
  }
  return { nodes, nodeOf };
}

/** Threads as lists: first child and next sibling of each node. */
interface Forest {
  nodes: Nodes;
  roots: number[];
  firstChild: Int32Array;
  nextSibling: Int32Array;
}

/** Lists of children from parents: ordered by date and uid, dummies by their first child. */
function grow(nodes: Nodes, order: Uint32Array, nodeOf: Int32Array): Forest {
  const firstChild = new Int32Array(nodes.count).fill(none);
  const lastChild = new Int32Array(nodes.count).fill(none);
  const nextSibling = new Int32Array(nodes.count).fill(none);
  const roots: number[] = [];
  for (let k = 0; k < order.length; k++) {
    const n = nodeOf[order[k]];
    const p = nodes.parents[n];
    if (p === none) {
      roots.push(n);
      continue;
    }
    if (firstChild[p] === none) {
      firstChild[p] = n;
      if (nodes.isDummy(p)) roots.push(p);
    } else nextSibling[lastChild[p]] = n;
    lastChild[p] = n;
  }
  return { nodes, roots, firstChild, nextSibling };
}

/** Steps 2 and 3: dummies stay only as roots of several messages. */
function prune(nodes: Nodes, nodeOf: Int32Array): void {
  const { parents } = nodes;
  /** Of dummies: the message above them, or the dummy at the top. */
  const above = new Int32Array(nodes.count).fill(none);
  const path: number[] = [];
  const topOf = (dummy: number): number => {
    let at = dummy;
    while (nodes.isDummy(at) && above[at] === none && parents[at] !== none) {
      path.push(at);
      at = parents[at];
    }
    const top = nodes.isDummy(at) && above[at] !== none ? above[at] : at;
    for (const n of path) above[n] = top;
    path.length = 0;
    return top;
  };
  const kids = new Int32Array(nodes.count);
  for (const n of nodeOf) {
    const p = parents[n];
    if (p === none || !nodes.isDummy(p)) continue;
    const top = topOf(p);
    if (nodes.isDummy(top)) kids[top]++;
  }
  const lifted = new Int32Array(nodeOf.length);
  for (let i = 0; i < nodeOf.length; i++) {
    const p = parents[nodeOf[i]];
    const top = p === none || !nodes.isDummy(p) ? p : topOf(p);
    lifted[i] = top !== none && nodes.isDummy(top) && kids[top] === 1 ? none : top;
  }
  for (let i = 0; i < nodeOf.length; i++) parents[nodeOf[i]] = lifted[i];
}

/** Steps 5 and 6: threads with the same subject are one. */
function withSubjects(forest: Forest, messages: Messages, nodeOf: Int32Array): Forest {
  const { nodes, roots, firstChild, nextSibling } = forest;
  const first = (n: number) => nodes.isDummy(n) ? firstChild[n] : n;
  const subject = (n: number) => messages.subjects[nodes.messages[first(n)]];
  const isReply = (n: number) => messages.replies[nodes.messages[first(n)]] === "1";
  const bySubject = new Map<string, number>();
  for (const n of roots) {
    const s = subject(n);
    if (s === "") continue;
    const other = bySubject.get(s);
    if (
      other === undefined || (nodes.isDummy(n) && !nodes.isDummy(other)) ||
      (!nodes.isDummy(other) && isReply(other) && !isReply(n))
    ) bySubject.set(s, n);
  }
  const joined = new Map<number, number>();
  for (const n of roots) {
    const s = subject(n);
    const chosen = s === "" ? n : bySubject.get(s)!;
    if (chosen === n) continue;
    const dummy = nodes.isDummy(chosen) ? chosen : joined.get(chosen);
    if (dummy !== undefined) {
      if (nodes.isDummy(n)) {
        for (let c = firstChild[n]; c !== none; c = nextSibling[c]) nodes.parents[c] = dummy;
      } else nodes.parents[n] = dummy;
    } else if (isReply(n) && !isReply(chosen)) {
      nodes.parents[n] = chosen;
    } else {
      const both = nodes.add(none);
      nodes.parents[chosen] = both;
      nodes.parents[n] = both;
      joined.set(chosen, both);
    }
  }
  return grow(nodes, messages.order, nodeOf);
}

/** REFS: the thread with the latest message comes last. */
function byLatest(forest: Forest, messages: Messages): Forest {
  const latest = new Map<number, number>();
  for (const root of forest.roots) {
    let last = -Infinity;
    const stack = [root];
    while (stack.length > 0) {
      const n = stack.pop()!;
      const i = forest.nodes.messages[n];
      if (i !== none && messages.dates[i] > last) last = messages.dates[i];
      for (let c = forest.firstChild[n]; c !== none; c = forest.nextSibling[c]) stack.push(c);
    }
    latest.set(root, last);
  }
  forest.roots.sort((a, b) => latest.get(a)! - latest.get(b)!);
  return forest;
}

/** RFC 5256 §3 ORDEREDSUBJECT. */
async function bySubjects(messages: Messages): Promise<Forest> {
  const nodes = new Nodes(messages.count);
  for (let i = 0; i < messages.count; i++) nodes.add(i);
  const roots = new Map<string, number>();
  for (let k = 0; k < messages.count; k++) {
    if (k % perSlice === 0) await giveWay();
    const i = messages.order[k];
    const root = roots.get(messages.subjects[i]);
    if (root === undefined) roots.set(messages.subjects[i], i);
    else nodes.parents[i] = root;
  }
  await giveWay();
  return grow(nodes, messages.order, Int32Array.from({ length: messages.count }, (_, i) => i));
}

/**
 * The threads of messages (uids, ascending) in the form of the answer (RFC 5256 §4), with the caller's numbers;
 * undefined if the columns don't have all of them.
 */
export async function threadsByColumns(
  account: Account,
  mailboxId: MailboxId,
  uids: readonly number[],
  algorithm: ThreadAlgorithm,
  numbers: ArrayLike<number>,
): Promise<string | undefined> {
  const rows = await columnRows(account, mailboxId, uids);
  const m = rows && await messagesOf(account, rows);
  if (!m) return undefined;
  await giveWay();
  if (algorithm === "ORDEREDSUBJECT") return await formatForest(await bySubjects(m), numbers);
  const messageIds = await textsOf(account, rows, "messageId");
  const references = await textsOf(account, rows, "references");
  if (!messageIds || !references) return undefined;
  const { nodes, nodeOf } = await linked(messageIds, references);
  await giveWay();
  prune(nodes, nodeOf);
  await giveWay();
  // 4. Sort roots by date.
  const forest = grow(nodes, m.order, nodeOf);
  await giveWay();
  return await formatForest(
    algorithm === "REFS" ? byLatest(forest, m) : withSubjects(forest, m, nodeOf),
    numbers,
  );
}

const openParen = -1;
const closeParen = -2;

async function formatForest(forest: Forest, numbers: ArrayLike<number>): Promise<string> {
  const { nodes, firstChild, nextSibling } = forest;
  let out = "";
  /** Nodes to write, and parentheses between. */
  const stack: number[] = [];
  let written = 0;
  for (const root of forest.roots) {
    if (++written % perSlice === 0) await giveWay();
    if (firstChild[root] === none) {
      out += `(${numbers[nodes.messages[root]]})`;
      continue;
    }
    out += "(";
    stack.push(root);
    let space = false;
    while (stack.length > 0) {
      const n = stack.pop()!;
      if (n < 0) {
        out += n === openParen ? "(" : ")";
        space = false;
        continue;
      }
      if (!nodes.isDummy(n)) {
        out += space ? ` ${numbers[nodes.messages[n]]}` : numbers[nodes.messages[n]];
        space = true;
      }
      const child = firstChild[n];
      if (child === none) continue;
      if (nextSibling[child] === none) {
        stack.push(child);
        continue;
      }
      if (space) out += " ";
      // Last pushed, first written.
      const children: number[] = [];
      for (let c = child; c !== none; c = nextSibling[c]) children.push(c);
      for (let i = children.length - 1; i >= 0; i--) stack.push(closeParen, children[i], openParen);
      space = false;
    }
    out += ")";
  }
  return out;
}
