/** An account's database, files and broadcasts compared with the model. */
import assert from "node:assert/strict";
import type { Account } from "../../src/store/account/account.ts";
import type { Change, Listener } from "../../src/store/types.ts";
import { bit, type Model } from "./model.ts";
import { messageFiles, type TestStore } from "./setup.ts";

/** What a listener knows that saw only changes. */
interface Seen {
  flags: number;
  keywords: string;
  messageId: number;
  emailId: number;
}

export class Comparison {
  readonly #s: TestStore;
  readonly #m: Model;
  #listener: Listener;
  #messages = new Map<string, Seen>();
  #counts = new Map<number, unknown>();
  #names = new Map<number, string>();
  #words = new Map<number, string>();
  #uses = new Map<number, number>();
  #subscriptions = new Set<string>();
  #state = 0;
  #boxModseq = new Map<number, number>();
  #validity = new Map<number, number>();

  constructor(s: TestStore, m: Model) {
    this.#s = s;
    this.#m = m;
    for (const b of s.account.mailboxes()) {
      this.#names.set(b.id, b.name);
      this.#uses.set(b.id, b.specialUse);
    }
    this.#subscriptions = new Set(s.account.subscriptions());
    this.#listener = s.account.listen();
    this.#state = s.account.state();
  }

  /** After the account was closed and opened. */
  reopened(): void {
    this.#listener = this.#s.account.listen();
  }

  /** Compares all; `what` names the operation. */
  check(what: string, told: readonly number[][]): void {
    const { account } = this.#s;
    try {
      this.#rows(account);
      this.#boxes(account);
      this.#threads(account);
      this.#others(account, told);
      this.#heard(account);
      this.#read(account);
    } catch (err) {
      if (err instanceof Error) err.message = `after ${what}: ${err.message}`;
      throw err;
    }
    this.#state = account.state();
    this.#m.trained.clear();
    this.#m.raised.clear();
  }

  #rows(account: Account): void {
    const state = account.state();
    const rows = account.db.all(
      "SELECT id, email_id, mailbox_id, uid, flags, keywords, received, saved, size, expunged, " +
        "modseq, createseq FROM messages ORDER BY id",
    );
    const isNew = (n: number) => n > this.#state && n <= state;
    for (const [i, r] of this.#m.rows.entries()) {
      const have = rows[i];
      assert.ok(have, `message ${r.id} is there`);
      const [modseq, createseq] = have.slice(10);
      const values = r.live
        ? [r.flags, r.words.join(" "), r.received, r.saved, r.size]
        : have.slice(4, 9);
      assert.deepEqual(
        have.slice(0, 10),
        [r.id, r.emailId, r.box, r.uid, ...values, r.live ? 0 : 1],
        `message ${r.id}`,
      );
      if (!r.live) assert.equal(have[5], "", `keywords of the remnant ${r.id}`);
      if (r.modseq === undefined) {
        assert.ok(isNew(modseq), `modseq of message ${r.id}: ${modseq} in ${this.#state}-${state}`);
        r.modseq = modseq;
      } else assert.equal(modseq, r.modseq, `modseq of message ${r.id}`);
      r.createseq ??= r.modseq;
      assert.equal(createseq, r.createseq, `createseq of message ${r.id}`);
    }
    assert.equal(rows.length, this.#m.rows.length, "messages");
  }

  #boxes(account: Account): void {
    const rows = account.db.all(
      "SELECT id, name, expunged, uidnext, special_use, keywords, modseq, uidvalidity, total, deleted, " +
        "unread, unseen, size FROM mailboxes ORDER BY id",
    );
    assert.equal(rows.length, this.#m.boxes.length, "mailboxes");
    for (const [i, b] of this.#m.boxes.entries()) {
      const [id, name, expunged, uidnext, use, words, modseq, validity, ...c] = rows[i];
      const sorted = [...b.words].sort(([x], [y]) => x < y ? -1 : 1).map(([, w]) => w).join(" ");
      assert.deepEqual(
        [id, name, expunged, uidnext, use, words],
        [b.id, b.name, b.live ? 0 : 1, b.uidNext, b.specialUse, sorted],
        `mailbox ${b.name}`,
      );
      assert.deepEqual(c, Object.values(this.#m.counts(b.id)), `counts of ${b.name}`);
      const before = this.#boxModseq.get(id);
      if (before !== undefined) {
        const raised = this.#m.raised.has(id);
        assert.equal(modseq > before, raised, `modseq of ${b.name}: ${before}, then ${modseq}`);
      }
      assert.ok(modseq <= account.state(), `modseq of ${b.name}`);
      for (const r of this.#m.rows) {
        if (r.box === id) assert.ok(r.modseq! <= modseq, `modseq of ${b.name} is above ${r.id}'s`);
      }
      this.#boxModseq.set(id, modseq);
      assert.equal(validity, this.#validity.get(id) ?? validity, `uidvalidity of ${b.name}`);
      this.#validity.set(id, validity);
    }
    assert.equal(
      new Set(this.#validity.values()).size,
      this.#validity.size,
      "uidvalidities differ",
    );
  }

  #threads(account: Account): void {
    const rows = account.db.all(
      "SELECT email_id, parent_id, wanted, missing_link, muted, collapsed, message_id, subject, " +
        "thread_id FROM threads ORDER BY email_id",
    );
    const emails = [...this.#m.emails.values()].sort((a, b) => a.id - b.id);
    assert.deepEqual(
      rows.map((r) => r.slice(0, 8)),
      emails.map((e) => [
        e.id,
        e.parent,
        e.wanted,
        e.wanted === null ? 0 : 1,
        Number(e.muted),
        Number(e.collapsed),
        e.messageId,
        e.subject,
      ]),
      "threads",
    );
    // The same thread has the same id, another one another.
    const ids = new Map<Set<number>, number>();
    for (const [i, e] of emails.entries()) {
      const id = rows[i][8];
      assert.equal(id, ids.get(e.thread) ?? id, `thread of email ${e.id}`);
      ids.set(e.thread, id);
    }
    assert.equal(
      new Set(ids.values()).size,
      ids.size,
      "threads that have nothing to do with each other",
    );
  }

  #others(account: Account, told: readonly number[][]): void {
    const m = this.#m;
    assert.deepEqual(new Set(told.flat()), m.trained, "ids that the trainer is told of");
    assert.equal(account.quota().messageSize.used, m.used(), "bytes used");
    assert.deepEqual(
      account.db.all(
        "SELECT message_id, orig_mailbox_id, destined_mailbox_id, is_reject FROM deliveries ORDER BY 1",
      ),
      [...m.deliveries].sort(([a], [b]) => a - b).map(([id, d]) => [
        id,
        d.orig,
        d.destined,
        Number(d.reject),
      ]),
      "deliveries",
    );
    assert.deepEqual(
      new Set(
        account.db.all("SELECT message_id, localpart, domain FROM recipients").map(([id, l, d]) =>
          `${id} ${l}@${d}`
        ),
      ),
      m.recipients,
      "recipients",
    );
    assert.deepEqual(new Set(account.subscriptions()), m.subscriptions, "subscriptions");
    assert.deepEqual(
      account.db.all("SELECT id, size FROM emails ORDER BY id"),
      [...m.emails.values()].sort((a, b) => a.id - b.id).map((e) => [e.id, e.size]),
      "emails",
    );
    assert.deepEqual(
      messageFiles(this.#s).map((f) => Number(f.slice(f.lastIndexOf("/") + 1))).sort((a, b) =>
        a - b
      ),
      [...m.emails.keys()].sort((a, b) => a - b),
      "files",
    );
  }

  /** What one knows who was told of the changes only. */
  #heard(account: Account): void {
    for (const c of this.#listener.take()) this.#hear(account, c);
    const m = this.#m;
    const live = m.boxes.filter((b) => b.live);
    assert.deepEqual(
      [...this.#names].sort(([a], [b]) => a - b),
      live.map((b) => [b.id, b.name]),
      "names that were broadcast",
    );
    for (const b of live) {
      const c = this.#counts.get(b.id);
      if (c) assert.deepEqual(c, m.counts(b.id), `counts of ${b.name} that were broadcast`);
      const words = [...b.words].sort(([x], [y]) => x < y ? -1 : 1).map(([, w]) => w).join(" ");
      assert.equal(this.#words.get(b.id) ?? "", words, `keywords of ${b.name} that were broadcast`);
      assert.equal(this.#uses.get(b.id) ?? 0, b.specialUse, `use of ${b.name} that was broadcast`);
    }
    assert.deepEqual(this.#subscriptions, m.subscriptions, "subscriptions that were broadcast");
    const want = m.rows.filter((r) => r.live).map((r): [string, Seen] => [`${r.box} ${r.uid}`, {
      flags: r.flags,
      keywords: r.words.join(" "),
      messageId: r.id,
      emailId: r.emailId,
    }]);
    const sorted = (l: Iterable<[string, Seen]>) => [...l].sort(([a], [b]) => a < b ? -1 : 1);
    assert.deepEqual(sorted(this.#messages), sorted(want), "messages that were broadcast");
  }

  #hear(account: Account, c: Change): void {
    const key = (box: number, uid: number) => `${box} ${uid}`;
    if ("modseq" in c) {
      assert.ok(c.modseq > this.#state && c.modseq <= account.state(), `modseq of ${c.kind}`);
    }
    if (c.kind === "addMessage" || c.kind === "changeFlags") {
      const k = key(c.mailboxId, c.uid);
      const old = this.#messages.get(k);
      assert.equal(c.kind === "addMessage", old === undefined, `${c.kind} of ${k}`);
      const emailId = c.kind === "addMessage" ? c.emailId : old!.emailId;
      const { flags, keywords, messageId } = c;
      this.#messages.set(k, { flags, keywords: keywords.join(" "), messageId, emailId });
    } else if (c.kind === "removeMessages") {
      assert.deepEqual(c.uids.toSorted((a, b) => a - b), c.uids, "uids that went, ascending");
      c.uids.forEach((uid, i) => {
        const k = key(c.mailboxId, uid);
        assert.equal(this.#messages.get(k)?.messageId, c.messageIds[i], `message ${k} that went`);
        this.#messages.delete(k);
      });
    } else if (c.kind === "mailboxCounts") this.#counts.set(c.mailboxId, c.counts);
    else if (c.kind === "mailboxKeywords") this.#words.set(c.mailboxId, c.keywords.join(" "));
    else if (c.kind === "mailboxSpecialUse") this.#uses.set(c.mailboxId, c.specialUse);
    else if (c.kind === "addMailbox") {
      this.#names.set(c.mailbox.id, c.mailbox.name);
      this.#uses.set(c.mailbox.id, c.mailbox.specialUse);
      if (c.subscribed) this.#subscriptions.add(c.mailbox.name);
    } else if (c.kind === "removeMailbox") {
      this.#names.delete(c.mailboxId);
      this.#counts.delete(c.mailboxId);
    } else if (c.kind === "renameMailbox") {
      this.#names.set(c.mailboxId, c.newName);
      if (this.#subscriptions.delete(c.oldName)) this.#subscriptions.add(c.newName);
    } else if (c.kind === "subscription") {
      if (c.subscribed) this.#subscriptions.add(c.name);
      else this.#subscriptions.delete(c.name);
    }
  }

  /** What protocols read, of mailboxes that are in memory and of others. */
  #read(account: Account): void {
    assert.deepEqual(account.rows.differences(), []);
    for (const b of this.#m.boxes) {
      if (!b.live) continue;
      const live = this.#m.live(b.id);
      const uids = live.map((r) => r.uid);
      assert.deepEqual([...account.uids(b.id)], uids, `uids of ${b.name}`);
      const read: unknown[] = [];
      account.fetch(b.id, uids, 8, (r) => {
        read.push([
          r.id,
          r.emailId,
          r.uid,
          r.flags,
          r.keywords,
          r.received,
          r.saved,
          r.size,
          r.modseq,
        ]);
      });
      assert.deepEqual(
        read,
        live.map((r) => [
          r.id,
          r.emailId,
          r.uid,
          r.flags,
          r.words.join(" "),
          r.received,
          r.saved,
          r.size,
          r.modseq,
        ]),
        `rows of ${b.name}`,
      );
      const unseen = live.find((r) => !(r.flags & bit.seen))?.uid;
      assert.equal(account.firstUnseenUid(b.id), unseen, `first unseen of ${b.name}`);
      // RFC 7162 §3.2.6: what went since a modseq, of each modseq there was.
      const gone = this.#m.rows.filter((r) => r.box === b.id && !r.live);
      for (const since of new Set(gone.map((r) => r.modseq!))) {
        assert.deepEqual(
          account.expungedSince(b.id, since - 1),
          gone.filter((r) => r.modseq! >= since).map((r) => r.uid).sort((x, y) => x - y),
          `what went of ${b.name} since ${since}`,
        );
      }
      const flagged: number[] = [];
      account.eachWithFlags(b.id, bit.deleted, bit.seen, (uid) => void flagged.push(uid));
      assert.deepEqual(
        flagged,
        live.filter((r) => r.flags & bit.deleted && !(r.flags & bit.seen)).map((r) => r.uid),
        `deleted and unseen in ${b.name}`,
      );
    }
  }
}
