/** Mailboxes, subscriptions, annotations and other data of a whole account of the Go original. @module */
import type { BoltRecord, RecordFile } from "../../bolt/records.ts";
import type { Db } from "../../database/database.ts";
import { SpecialUse } from "../../types.ts";

/** Called for what can't be taken over unchanged. */
export type Warn = (text: string) => void;

const uses: readonly (readonly [field: string, bit: number, name: string])[] = [
  ["Archive", SpecialUse.Archive, "Archive"],
  ["Draft", SpecialUse.Drafts, "Drafts"],
  ["Junk", SpecialUse.Junk, "Junk"],
  ["Sent", SpecialUse.Sent, "Sent"],
  ["Trash", SpecialUse.Trash, "Trash"],
];

/** A mailbox taken over. */
export interface TakenMailbox {
  name: string;
  sent: boolean;
}

/** Creates the mailboxes with their ids; removed ones are left out. */
export function takeMailboxes(db: Db, file: RecordFile, warn: Warn): Map<number, TakenMailbox> {
  const taken = new Map<number, TakenMailbox>();
  const held = new Set<number>();
  for (const m of file.records("Mailbox")) {
    if (m.flag("Expunged")) continue;
    const name = m.text("Name").normalize("NFC");
    let specialUse = 0;
    for (const [field, bit, use] of uses) {
      if (!m.flag(field)) continue;
      if (held.has(bit)) warn(`mailbox ${name} is not marked as ${use}: another one is already`);
      else specialUse |= bit;
      held.add(bit);
    }
    db.run(
      "INSERT INTO mailboxes (id, parent_id, name, uidvalidity, uidnext, modseq, createseq, special_use, " +
        "keywords) VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?)",
      m.number("ID"),
      name,
      m.number("UIDValidity"),
      Math.max(1, m.number("UIDNext")),
      Math.max(1, m.number("ModSeq")),
      Math.max(1, m.number("CreateSeq")),
      specialUse,
      m.texts("Keywords").map((k) => k.toLowerCase()).sort().join(" "),
    );
    taken.set(m.number("ID"), { name, sent: (specialUse & SpecialUse.Sent) !== 0 });
  }
  // Older versions have no parent ids: names give the parents.
  db.run(
    "UPDATE mailboxes SET parent_id = coalesce((SELECT p.id FROM mailboxes p WHERE p.expunged = 0 AND " +
      "p.name = rtrim(rtrim(mailboxes.name, replace(mailboxes.name, '/', '')), '/')), 0) " +
      "WHERE name LIKE '%/%'",
  );
  return taken;
}

export function takeSubscriptions(db: Db, file: RecordFile): void {
  for (const s of file.records("Subscription")) {
    db.run("INSERT OR IGNORE INTO subscriptions VALUES (?)", s.text("Name").normalize("NFC"));
  }
}

export function takeAnnotations(db: Db, file: RecordFile): number {
  let count = 0;
  for (const a of file.records("Annotation")) {
    if (a.flag("Expunged")) continue;
    db.run(
      "INSERT OR REPLACE INTO annotations VALUES (?, ?, ?, ?)",
      a.number("MailboxID"),
      a.text("Key").toLowerCase(),
      a.bytes("Value"),
      Math.max(1, a.number("ModSeq")),
    );
    count++;
  }
  return count;
}

/** The recipients that the user wrote to. */
export function takeRecipients(db: Db, file: RecordFile): void {
  for (const r of file.records("Recipient")) {
    db.run(
      "INSERT OR IGNORE INTO recipients (localpart, domain, sent, message_id, org_domain) VALUES (?, ?, ?, ?, ?)",
      r.text("Localpart"),
      r.text("Domain"),
      r.number("Sent"),
      r.number("MessageID"),
      r.text("OrgDomain"),
    );
  }
}

/** The webmail's settings, under their names here. */
export function takeSettings(db: Db, file: RecordFile): void {
  const [s] = file.records("Settings");
  const senders: Record<string, string> = {};
  for (const f of file.records("FromAddressSettings")) {
    const view = views[f.text("ViewMode")];
    if (view) senders[f.text("FromAddress").toLowerCase()] = view;
  }
  const settings = s ? settingsOf(s) : {};
  if (Object.keys(settings).length + Object.keys(senders).length === 0) return;
  db.run("UPDATE state SET settings = ?", JSON.stringify({ webmail: { settings, senders } }));
}

const views: Record<string, string> = { text: "text", html: "html", htmlext: "htmlExternal" };

function settingsOf(record: BoltRecord): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  if (record.text("Signature") !== "") settings.signature = record.text("Signature");
  const quoting = record.text("Quoting");
  if (quoting === "top" || quoting === "bottom") settings.quoting = quoting;
  if (record.flag("ShowHTML")) settings.preferHtml = true;
  if (record.flag("NoShowShortcuts")) settings.showShortcuts = false;
  return settings;
}

/** The totals of each mailbox from its messages, and those of the account. */
export function countMailboxes(db: Db): void {
  db.exec(`
WITH c AS (
  SELECT mailbox_id AS id, count(*) AS total, sum(flags & 8 != 0) AS deleted,
    sum(flags & 9 = 0) AS unread, sum(flags & 1 = 0) AS unseen, sum(size) AS size
  FROM messages WHERE expunged = 0 GROUP BY mailbox_id
)
UPDATE mailboxes SET total = c.total, deleted = c.deleted, unread = c.unread, unseen = c.unseen, size = c.size
  FROM c WHERE c.id = mailboxes.id;
WITH c AS (SELECT mailbox_id AS id, max(modseq) AS modseq, max(uid) AS uid FROM messages GROUP BY mailbox_id)
UPDATE mailboxes SET modseq = max(mailboxes.modseq, c.modseq), uidnext = max(mailboxes.uidnext, c.uid + 1)
  FROM c WHERE c.id = mailboxes.id;
UPDATE state SET message_size = (SELECT coalesce(sum(size), 0) FROM emails);
`);
}
