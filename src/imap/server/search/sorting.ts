/**
 * SORT and THREAD (RFC 5256, RFC 5957) over the summaries of messages.
 *
 * @module
 */
import type { MailboxId } from "../../../store/ids.ts";
import type { Account } from "../../../store/account/account.ts";
import type { SortKey } from "../../parse/sort_keys.ts";
import {
  isReplySubject,
  sortDisplay,
  sortLocalpart,
  threadReferences,
} from "../../../store/columns/values.ts";
import { storedSent, storedSortSubject } from "../../../store/messages/summary.ts";
import { type FetchRow, Want } from "../../../store/types.ts";

const compareText = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0;

/** Rows read between looks at the clock, and milliseconds of work between two turns of the event loop. */
const sliceRows = 1000;
const sliceTime = 10;

/** Calls `each` for the messages, in slices. */
async function eachRow(
  account: Account,
  mailboxId: MailboxId,
  uids: readonly number[],
  want: number,
  each: (row: FetchRow) => void,
): Promise<void> {
  let turn = performance.now();
  for (let i = 0; i < uids.length; i += sliceRows) {
    account.fetch(mailboxId, uids.slice(i, i + sliceRows), want, each);
    if (performance.now() - turn > sliceTime) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      turn = performance.now();
    }
  }
}

/** A message with what it is sorted by. */
export interface SortedRow {
  uid: number;
  values: (string | number)[];
}

function valuesOf(
  row: FetchRow,
  keys: readonly SortKey[],
  scores: ReadonlyMap<number, number> | undefined,
): (string | number)[] {
  return keys.map(({ key }): string | number => {
    switch (key) {
      case "ARRIVAL":
        return row.received;
      case "SIZE":
        return row.size;
      case "DATE":
        // RFC 5256 §2.2: the internal date replaces an unusable Date.
        return storedSent(row.summaryText) ?? row.received;
      case "SUBJECT":
        return storedSortSubject(row.summaryText);
      case "FROM":
        return sortLocalpart(row.summary, "from");
      case "TO":
        return sortLocalpart(row.summary, "to");
      case "CC":
        return sortLocalpart(row.summary, "cc");
      case "DISPLAYFROM":
        return sortDisplay(row.summary, "from");
      case "DISPLAYTO":
        return sortDisplay(row.summary, "to");
      case "RELEVANCY":
        // The best first.
        return -(scores?.get(row.uid) ?? 0);
    }
  });
}

function wantFor(keys: readonly SortKey[]): number {
  const columns = ["ARRIVAL", "SIZE", "RELEVANCY"];
  return keys.every((k) => columns.includes(k.key)) ? 0 : Want.Summary;
}

/** Compares by the keys; equal ones by uid. */
export function compareSorted(a: SortedRow, b: SortedRow, keys: readonly SortKey[]): number {
  for (let i = 0; i < keys.length; i++) {
    const x = a.values[i];
    const y = b.values[i];
    const d = typeof x === "number" ? x - (y as number) : compareText(x, y as string);
    if (d !== 0) return keys[i].reverse ? -d : d;
  }
  return a.uid - b.uid;
}

/** A few messages with their sort keys, read in one go. */
export function readSorted(
  account: Account,
  mailboxId: MailboxId,
  uids: ArrayLike<number>,
  keys: readonly SortKey[],
): SortedRow[] {
  const rows: SortedRow[] = [];
  account.fetch(mailboxId, uids, wantFor(keys), (row) => {
    rows.push({ uid: row.uid, values: valuesOf(row, keys, undefined) });
  });
  return rows;
}

/** Uids in the order of the keys, all read and compared. Scores are for RELEVANCY. */
export async function sortAnew(
  account: Account,
  mailboxId: MailboxId,
  uids: number[],
  keys: readonly SortKey[],
  scores?: ReadonlyMap<number, number>,
): Promise<number[]> {
  const rows: SortedRow[] = [];
  await eachRow(account, mailboxId, uids, wantFor(keys), (row) => {
    rows.push({ uid: row.uid, values: valuesOf(row, keys, scores) });
  });
  rows.sort((a, b) => compareSorted(a, b, keys));
  return rows.map((r) => r.uid);
}

/** A node of a thread; uid 0 is a message that isn't there. */
export interface ThreadNode {
  uid: number;
  date: number;
  subject: string;
  /** The subject is a reply's or forward's. */
  reply: boolean;
  children: ThreadNode[];
  parent: ThreadNode | undefined;
}

interface Source {
  uid: number;
  date: number;
  subject: string;
  reply: boolean;
  messageId: string;
  references: string[];
}

async function sources(account: Account, mailboxId: MailboxId, uids: number[]): Promise<Source[]> {
  const list: Source[] = [];
  await eachRow(account, mailboxId, uids, Want.Summary, (row) => {
    const m = row.summary;
    list.push({
      uid: row.uid,
      date: m.sent ?? row.received,
      subject: m.sortSubject,
      reply: isReplySubject(m.subject),
      messageId: m.messageId,
      references: threadReferences(m),
    });
  });
  return list;
}

function node(source: Source | undefined): ThreadNode {
  return {
    uid: source?.uid ?? 0,
    date: source?.date ?? 0,
    subject: source?.subject ?? "",
    reply: source?.reply ?? false,
    children: [],
    parent: undefined,
  };
}

function byDate(a: ThreadNode, b: ThreadNode): number {
  const [x, y] = [dated(a), dated(b)];
  return x.date - y.date || x.uid - y.uid;
}

/** A node's sort key: for a dummy that of its first child. */
function dated(n: ThreadNode): ThreadNode {
  return n.uid === 0 && n.children.length > 0 ? n.children[0] : n;
}

/** RFC 5256 §3 ORDEREDSUBJECT. */
export async function orderedSubject(
  account: Account,
  mailboxId: MailboxId,
  uids: number[],
): Promise<ThreadNode[]> {
  const list = (await sources(account, mailboxId, uids)).map(node).sort(byDate);
  const roots = new Map<string, ThreadNode>();
  for (const n of list) {
    const root = roots.get(n.subject);
    if (root) root.children.push(n);
    else roots.set(n.subject, n);
  }
  return [...roots.values()].sort(byDate);
}

/** RFC 5256 §3 REFERENCES, its six steps. */
export async function references(
  account: Account,
  mailboxId: MailboxId,
  uids: number[],
): Promise<ThreadNode[]> {
  return withSubjects(await byReferences(account, mailboxId, uids));
}

/** REFS: as REFERENCES, but subjects join nothing; the thread with the latest message comes last. */
export async function refs(
  account: Account,
  mailboxId: MailboxId,
  uids: number[],
): Promise<ThreadNode[]> {
  const roots = await byReferences(account, mailboxId, uids);
  const latest = new Map(roots.map((r) => [r, latestDate(r)]));
  return roots.sort((a, b) => latest.get(a)! - latest.get(b)!);
}

function latestDate(root: ThreadNode): number {
  let latest = -Infinity;
  const stack = [root];
  while (stack.length > 0) {
    const n = stack.pop()!;
    if (n.uid !== 0 && n.date > latest) latest = n.date;
    for (const c of n.children) stack.push(c);
  }
  return latest;
}

/** The steps 1 to 4: by references alone. No recursion: chains may be as long as a mailbox. */
async function byReferences(
  account: Account,
  mailboxId: MailboxId,
  uids: number[],
): Promise<ThreadNode[]> {
  const byId = new Map<string, ThreadNode>();
  const container = (id: string): ThreadNode => {
    let n = byId.get(id);
    if (!n) byId.set(id, n = node(undefined));
    return n;
  };
  const extra: ThreadNode[] = [];
  // A loop can only arise where the child has children. The search for one is bounded, so that the
  // whole is linear for any references: beyond the bound a message stays a root.
  let steps = 100 * uids.length + 100_000;
  const adopt = (parent: ThreadNode, child: ThreadNode) => {
    if (child.children.length > 0) {
      for (let p: ThreadNode | undefined = parent; p; p = p.parent) {
        if (p === child || --steps < 0) return;
      }
    }
    child.parent = parent;
    parent.children.push(child);
  };
  let turn = performance.now();
  // 1. Link by References.
  for (const [i, m] of (await sources(account, mailboxId, uids)).entries()) {
    if (i % sliceRows === 0 && performance.now() - turn > sliceTime) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      turn = performance.now();
    }
    let n: ThreadNode;
    const known = m.messageId === "" ? undefined : byId.get(m.messageId);
    if (m.messageId === "" || (known && known.uid !== 0)) {
      // It has no id of its own, or one that another message has already.
      n = node(m);
      extra.push(n);
    } else {
      n = container(m.messageId);
      Object.assign(n, { uid: m.uid, date: m.date, subject: m.subject, reply: m.reply });
    }
    let previous: ThreadNode | undefined;
    for (const id of m.references) {
      const r = container(id);
      if (previous && !r.parent && r !== previous) adopt(previous, r);
      previous = r;
    }
    if (previous && previous !== n) {
      if (n.parent) {
        const { children } = n.parent;
        // The last one takes its place: sorting by date comes later.
        const at = children.lastIndexOf(n);
        children[at] = children[children.length - 1];
        children.pop();
        n.parent = undefined;
      }
      adopt(previous, n);
    }
  }
  // 2. and 3. Roots; missing messages are left out where they join nothing.
  const roots = prune([...byId.values(), ...extra].filter((n) => !n.parent));
  // 4. Sort roots by date, with their children first so that dummies have a date.
  sortChildren(roots);
  return roots.sort(byDate);
}

/** Steps 5 and 6: threads with the same subject become one. */
function withSubjects(roots: ThreadNode[]): ThreadNode[] {
  const bySubject = new Map<string, ThreadNode>();
  for (const n of roots) {
    const first = n.uid === 0 ? n.children[0] : n;
    if (first.subject === "") continue;
    const other = bySubject.get(first.subject);
    const otherFirst = other && (other.uid === 0 ? other.children[0] : other);
    if (
      !other || (n.uid === 0 && other.uid !== 0) ||
      (other.uid !== 0 && otherFirst!.reply && !first.reply)
    ) bySubject.set(first.subject, n);
  }
  const kept: ThreadNode[] = [];
  const replaced = new Map<ThreadNode, ThreadNode>();
  for (const n of roots) {
    const first = n.uid === 0 ? n.children[0] : n;
    let other = first.subject === "" ? undefined : bySubject.get(first.subject);
    if (!other || other === n) {
      kept.push(n);
      continue;
    }
    other = replaced.get(other) ?? other;
    const otherFirst = other.uid === 0 ? other.children[0] : other;
    if (other.uid === 0 && n.uid === 0) {
      for (const c of n.children) other.children.push(c);
    } else if (other.uid === 0 || (first.reply && !otherFirst.reply)) {
      other.children.push(n);
    } else {
      const dummy = node(undefined);
      dummy.children.push(other, n);
      replaced.set(bySubject.get(first.subject)!, dummy);
    }
  }
  roots = kept.map((n) => replaced.get(n) ?? n);
  const there = new Set(kept);
  for (const [from, to] of replaced) if (!there.has(from)) roots.push(to);
  // 6. Sort all.
  sortChildren(roots);
  return roots.sort(byDate);
}

/** Removes nodes without a message: their children replace them, except several at the root. */
function prune(roots: ThreadNode[]): ThreadNode[] {
  const order: ThreadNode[] = [];
  const stack = [...roots];
  while (stack.length > 0) {
    const n = stack.pop()!;
    order.push(n);
    for (const c of n.children) stack.push(c);
  }
  const lift = (list: ThreadNode[], atRoot: boolean): ThreadNode[] => {
    const out: ThreadNode[] = [];
    for (const n of list) {
      if (n.uid !== 0 || (atRoot && n.children.length > 1)) out.push(n);
      else for (const c of n.children) out.push(c);
    }
    return out;
  };
  // Children come before their parents when the order is walked backwards.
  for (let i = order.length - 1; i >= 0; i--) order[i].children = lift(order[i].children, false);
  return lift(roots, true);
}

function sortChildren(roots: ThreadNode[]): void {
  const order: ThreadNode[] = [];
  const stack = [...roots];
  while (stack.length > 0) {
    const n = stack.pop()!;
    order.push(n);
    for (const c of n.children) stack.push(c);
  }
  for (let i = order.length - 1; i >= 0; i--) order[i].children.sort(byDate);
}

/** Threads as THREAD answers have them, of uids. */
export function formatThreads(roots: readonly ThreadNode[]): string {
  let out = "";
  // Pending work: a node to write, or text between nodes.
  const stack: (ThreadNode | string)[] = [];
  for (const r of roots) {
    out += "(";
    stack.push(r);
    let space = false;
    while (stack.length > 0) {
      const n = stack.pop()!;
      if (typeof n === "string") {
        out += n;
        space = false;
        continue;
      }
      if (n.uid !== 0) {
        out += `${space ? " " : ""}${n.uid}`;
        space = true;
      }
      if (n.children.length === 1) {
        stack.push(n.children[0]);
      } else if (n.children.length > 1) {
        if (space) out += " ";
        for (let i = n.children.length - 1; i >= 0; i--) stack.push(")", n.children[i], "(");
        space = false;
      }
    }
    out += ")";
  }
  return out;
}
