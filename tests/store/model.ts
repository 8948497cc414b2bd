/**
 * What an account has to contain, in arrays and sets: the store's rules written down a second time, without a
 * line of its code but the types of ids. Each operation changes the model; {@link Model} is then compared with the database, row by row.
 *
 * Numbers that the store may choose within bounds (modseqs) are taken over after the bounds were checked.
 */
import type { EmailId, MailboxId } from "../../src/store/ids.ts";

export const bit = { seen: 1, deleted: 8, junk: 64, notJunk: 128 };
const training = bit.junk | bit.notJunk;
const week = 7 * 24 * 3600 * 1000;

/** A row of messages, live or left behind. */
export interface Row {
  id: number;
  emailId: EmailId;
  box: MailboxId;
  uid: number;
  flags: number;
  /** Lower case. */
  words: string[];
  received: number;
  saved: number;
  size: number;
  live: boolean;
  /** Undefined: of the operation that is being compared. */
  modseq: number | undefined;
  /** Undefined: the same as modseq. */
  createseq: number | undefined;
}

export interface Box {
  id: MailboxId;
  name: string;
  live: boolean;
  uidNext: number;
  /** As they were spelled first, in lower case and as they are. */
  words: Map<string, string>;
  specialUse: number;
}

/** An email; all of a thread share one set. */
export interface Email {
  id: EmailId;
  size: number;
  messageId: string;
  subject: string;
  isReply: boolean;
  references: string[];
  received: number;
  from: string;
  to: string[];
  parent: number;
  wanted: string | null;
  muted: boolean;
  collapsed: boolean;
  thread: Set<number>;
}

export interface Delivery {
  orig: number;
  destined: number;
  reject: boolean;
}

/** A message to be delivered, as far as the model cares. */
export interface Arriving {
  flags: number;
  words: string[];
  received: number;
  saved: number;
  size: number;
  messageId: string;
  subject: string;
  isReply: boolean;
  references: string[];
  from: string;
  to: string[];
  facts: boolean;
  reject: boolean;
  destined: number;
}

/** $Junk and $NotJunk that a mailbox gives its messages; undefined leaves them alone. */
export function junkRule(name: string): number | undefined {
  return { Junk: bit.junk, Archive: bit.notJunk, Inbox: 0 }[name];
}

export class Model {
  rows: Row[] = [];
  boxes: Box[] = [];
  emails = new Map<EmailId, Email>();
  subscriptions = new Set<string>();
  deliveries = new Map<number, Delivery>();
  /** Of message and address: whom the user wrote to. */
  recipients = new Set<string>();
  /** Ids that the trainer has to be told of, by the operation that is being compared. */
  trained = new Set<number>();
  /** Mailboxes whose modseq has to rise in it. */
  raised = new Set<number>();

  box(name: string): Box | undefined {
    return this.boxes.find((b) => b.live && b.name === name);
  }

  live(box: MailboxId): Row[] {
    return this.rows.filter((r) => r.live && r.box === box).sort((a, b) => a.uid - b.uid);
  }

  places(emailId: EmailId): Row[] {
    return this.rows.filter((r) => r.live && r.emailId === emailId).sort((a, b) => a.id - b.id);
  }

  used(): number {
    return [...this.emails.values()].reduce((sum, e) => sum + e.size, 0);
  }

  counts(box: MailboxId) {
    const rows = this.live(box);
    const having = (f: (flags: number) => boolean) => rows.filter((r) => f(r.flags)).length;
    return {
      total: rows.length,
      deleted: having((f) => (f & bit.deleted) !== 0),
      unread: having((f) => (f & bit.seen) === 0 && (f & bit.deleted) === 0),
      unseen: having((f) => (f & bit.seen) === 0),
      size: rows.reduce((sum, r) => sum + r.size, 0),
    };
  }

  // --- mailboxes

  /** A mailbox and those above it; ids are given in order. */
  create(name: string, specialUse = 0): void {
    const levels = name.split("/");
    for (let i = 1; i <= levels.length; i++) {
      const path = levels.slice(0, i).join("/");
      if (this.box(path)) continue;
      const id = (this.boxes.length + 1) as MailboxId;
      const use = i === levels.length ? specialUse : 0;
      this.boxes.push({
        id,
        name: path,
        live: true,
        uidNext: 1,
        words: new Map(),
        specialUse: use,
      });
      this.subscriptions.add(path);
      this.raised.add(id);
    }
  }

  rename(from: Box, to: string, now: number): void {
    if (from.name === "Inbox") {
      this.create(to);
      this.move(this.live(from.id), this.box(to)!, now);
      return;
    }
    const above = to.split("/").slice(0, -1).join("/");
    if (above !== "") this.create(above);
    const old = from.name;
    for (const b of this.boxes) {
      if (!b.live || b.name !== old && !b.name.startsWith(`${old}/`)) continue;
      const name = to + b.name.slice(old.length);
      if (this.subscriptions.delete(b.name)) this.subscriptions.add(name);
      b.name = name;
      this.raised.add(b.id);
    }
  }

  remove(box: Box): void {
    this.expunge(this.live(box.id));
    box.live = false;
    box.specialUse = 0;
    this.subscriptions.delete(box.name);
    this.raised.add(box.id);
  }

  #spell(box: Box, words: readonly string[]): void {
    for (const w of words) {
      if (!box.words.has(w.toLowerCase())) box.words.set(w.toLowerCase(), w);
    }
  }

  // --- messages

  #insert(box: Box, m: Omit<Row, "id" | "box" | "uid" | "live" | "modseq" | "createseq">): Row {
    const row: Row = {
      ...m,
      words: [...m.words],
      id: this.rows.length + 1,
      box: box.id,
      uid: box.uidNext++,
      live: true,
      modseq: undefined,
      createseq: undefined,
    };
    this.rows.push(row);
    this.raised.add(box.id);
    return row;
  }

  #ruled(box: Box, flags: number): number {
    const rule = junkRule(box.name);
    return rule === undefined ? flags : flags & ~training | rule;
  }

  /** Puts a new email into mailboxes, the first of which it is delivered to. */
  arrive(emailId: EmailId, boxes: readonly Box[], m: Arriving): void {
    const [box, ...others] = boxes;
    const email = this.#thread(emailId, m);
    const words = [...new Set(m.words.map((w) => w.toLowerCase()))].sort();
    const flags = this.#ruled(box, m.flags) | (email.muted ? bit.seen : 0);
    const { received, saved, size } = m;
    const row = this.#insert(box, { emailId, flags, words, received, saved, size });
    this.#spell(box, m.words);
    if (m.facts) {
      this.deliveries.set(row.id, { orig: box.id, destined: m.destined, reject: m.reject });
    }
    if (box.specialUse === 8) { for (const a of m.to) this.recipients.add(`${row.id} ${a}`); }
    const made = [row];
    for (const b of others) {
      made.push(
        this.#insert(b, { emailId, flags: this.#ruled(b, flags), words, received, saved, size }),
      );
      this.#spell(b, words);
    }
    for (const r of made) if (r.flags & training) this.trained.add(r.id);
  }

  copy(rows: readonly Row[], to: Box, now: number): void {
    for (const r of rows) {
      const copy = this.#insert(to, { ...r, flags: this.#ruled(to, r.flags), saved: now });
      if (copy.flags & training) this.trained.add(copy.id);
      this.#respell(r, to);
    }
  }

  #respell(r: Row, to: Box): void {
    const from = this.boxes.find((b) => b.id === r.box)!;
    this.#spell(to, r.words.map((w) => from.words.get(w) ?? w));
  }

  move(rows: readonly Row[], to: Box, now: number): void {
    for (const r of rows) {
      this.#respell(r, to);
      const d = this.deliveries.get(r.id);
      let flags = this.#ruled(to, r.flags);
      if (d?.reject) {
        if (!(flags & training) && to.specialUse !== 16) flags |= bit.notJunk;
        d.reject = false;
        if (d.destined !== 0) d.orig = d.destined;
      } else if (d && d.destined !== 0) {
        d.orig = d.destined;
        d.destined = 0;
      }
      if ((flags ^ r.flags) & training) this.trained.add(r.id);
      this.rows.push({
        id: this.rows.length + 1,
        emailId: r.emailId,
        box: r.box,
        uid: r.uid,
        flags: 0,
        words: [],
        received: 0,
        saved: 0,
        size: 0,
        live: false,
        modseq: undefined,
        createseq: 0,
      });
      this.raised.add(r.box).add(to.id);
      r.box = to.id;
      r.uid = to.uidNext++;
      r.flags = flags;
      r.saved = now;
      r.modseq = r.createseq = undefined;
    }
  }

  store(rows: readonly Row[], op: "set" | "add" | "remove", flags: number, words: string[]): void {
    const lower = words.map((w) => w.toLowerCase());
    let changed: Box | undefined;
    for (const r of rows) {
      const next = op === "set" ? flags : op === "add" ? r.flags | flags : r.flags & ~flags;
      const set = new Set(op === "set" ? [] : r.words);
      for (const w of lower) {
        if (op === "remove") set.delete(w);
        else set.add(w);
      }
      const list = [...set].sort();
      if (next === r.flags && list.join() === r.words.join()) continue;
      if ((next ^ r.flags) & training) this.trained.add(r.id);
      r.flags = next;
      r.words = list;
      r.modseq = undefined;
      // How long it has been there doesn't change: the model keeps createseq.
      changed = this.boxes.find((b) => b.id === r.box)!;
      this.raised.add(r.box);
    }
    if (changed && op !== "remove") this.#spell(changed, words);
  }

  expunge(rows: readonly Row[]): void {
    for (const r of rows) {
      r.live = false;
      r.words = [];
      r.modseq = undefined;
      this.raised.add(r.box);
      if (this.deliveries.get(r.id)?.reject) this.deliveries.delete(r.id);
      if (this.places(r.emailId).length === 0) this.emails.delete(r.emailId);
    }
  }

  /** Changes an email as a whole: flags and words of all its places, then the mailboxes. */
  update(emailId: EmailId, addFlags: number, words: string[], boxes: readonly Box[], now: number) {
    const places = this.places(emailId).filter((r) => !(r.flags & bit.deleted));
    const flags = places.reduce((all, r) => all | r.flags, addFlags);
    const all = [...new Set([...places.flatMap((r) => r.words), ...words])];
    for (const r of places) this.store([r], "set", flags, all);
    const before = [...new Set(places.map((r) => r.box))];
    const added = boxes.filter((b) => !before.includes(b.id));
    const removed = before.filter((id) => !boxes.some((b) => b.id === id));
    const moves = Math.min(added.length, removed.length);
    for (const b of added.slice(moves)) this.copy([places[0]], b, now);
    removed.forEach((id, i) => {
      const there = places.filter((r) => r.box === id).sort((a, b) => a.uid - b.uid);
      if (i < moves) this.move([there.shift()!], added[i], now);
      this.expunge(there);
    });
  }

  // --- threads

  #join(a: Set<number>, b: Set<number>): void {
    if (a === b) return;
    for (const id of b) a.add(id);
    for (const e of this.emails.values()) if (e.thread === b) e.thread = a;
  }

  #sameSubject(e: Email): Email[] {
    return [...this.emails.values()].filter((o) => o.subject === e.subject && o.id !== e.id);
  }

  /** The email's place among the others. */
  #thread(id: EmailId, m: Arriving): Email {
    const e: Email = {
      id,
      size: m.size,
      messageId: m.messageId,
      subject: m.subject,
      isReply: m.isReply,
      references: m.references.filter((r) => r !== m.messageId),
      received: m.received,
      from: m.from,
      to: m.to,
      parent: 0,
      wanted: null,
      muted: false,
      collapsed: false,
      thread: new Set([id]),
    };
    const others = this.#sameSubject(e);
    let parent: Email | undefined;
    for (const [i, ref] of e.references.toReversed().entries()) {
      parent ??= others.filter((o) => o.messageId === ref).sort((a, b) => b.id - a.id)[0];
      if (i === 0 && !parent) e.wanted = ref;
    }
    if (e.references.length === 0 && e.isReply && e.subject !== "") {
      parent = others
        .filter((o) => o.received <= e.received && o.received >= e.received - 4 * week)
        .sort((a, b) => b.received - a.received || b.id - a.id)
        .slice(0, 20)
        .find((o) => o.from === e.from || o.to.includes(e.from) || e.to.includes(o.from));
    }
    const twin = parent || e.messageId === ""
      ? undefined
      : others.filter((o) => o.messageId === e.messageId).sort((a, b) => a.id - b.id)[0];
    // The newest of those that wait for the same parent.
    const sibling = others.filter((o) => o.wanted !== null && o.wanted === e.wanted)
      .sort((a, b) => b.id - a.id)[0];
    const beside = parent ?? twin ?? sibling;
    this.emails.set(id, e);
    if (beside) {
      e.parent = parent?.id ?? 0;
      e.muted = beside.muted;
      e.collapsed = beside.collapsed;
      this.#join(beside.thread, e.thread);
    }
    for (const o of this.#sameSubject(e)) {
      if (o.wanted === null || o.wanted !== e.messageId) continue;
      // Not where it is above the new one already: that would be a circle.
      let at: Email | undefined = e;
      while (at && at !== o) at = this.emails.get(at.parent as EmailId);
      if (at === o) continue;
      o.parent = id;
      o.wanted = null;
      this.#join(e.thread, o.thread);
    }
    return e;
  }

  mark(emailIds: readonly EmailId[], muted: boolean | undefined, collapsed: boolean | undefined) {
    const threads = new Set(emailIds.map((id) => this.emails.get(id)?.thread));
    for (const e of this.emails.values()) {
      if (!threads.has(e.thread)) continue;
      e.muted = muted ?? e.muted;
      e.collapsed = collapsed ?? e.collapsed;
    }
  }
}
