/**
 * Reporting changes by others to a client: at the end of each command, and immediately during IDLE.
 *
 * @module
 */
import type { MailboxId } from "../../../store/ids.ts";
import type { Change } from "../../../store/types.ts";
import { formatAstring, formatFlags } from "../../format/text.ts";
import { formatNumSet } from "../../parse/numset.ts";
import { beforeExpunge, updateContexts } from "../search/contexts.ts";
import { fetchUids } from "../fetch/rows.ts";
import { isPrivateEntry } from "../names/metadata_text.ts";
import { eventsFor, type NotifyRules, selectedGroup } from "../names/notify_rules.ts";
import type { Session } from "../session/session.ts";
import { statusText } from "../mailboxes/status_text.ts";
import type { View } from "../session/view.ts";
import { effectiveRights } from "../../../store/mailboxes/rights.ts";
import { announceKeywords } from "../fetch/flags_lines.ts";
import type { Source } from "../names/names.ts";

/** A FETCH line with the flags of one message. */
export function writeFlags(
  session: Session,
  uid: number,
  flags: number,
  keywords: string,
  modseq: number,
  withUid: boolean,
): void {
  session.conn.write(flagsLine(session, uid, flags, keywords, modseq, withUid));
}

/** The line of {@link writeFlags}, with its end; "" for a message that the client doesn't know. */
export function flagsLine(
  session: Session,
  uid: number,
  flags: number,
  keywords: string,
  modseq: number,
  withUid: boolean,
): string {
  const seq = session.selected.seqOf(uid);
  if (seq === 0) return "";
  const m = session.condstore ? ` MODSEQ (${modseq})` : "";
  const f = `FLAGS (${
    formatFlags(session.shownFlags(uid, flags), keywords, session.selected.keywords)
  })${m}`;
  if (session.uidOnly) return `* ${uid} UIDFETCH (${f})\r\n`;
  return `* ${seq} FETCH (${withUid || session.condstore ? `UID ${uid} ` : ""}${f})\r\n`;
}

/** Announces messages as expunged, and removes them from the view. */
export function announceExpunged(session: Session, uids: readonly number[]): void {
  if (session.selected.contexts.length > 0) beforeExpunge(session, uids);
  const gone = session.selected.remove(uids);
  if (gone.uids.length === 0) return;
  if (session.vanished) {
    session.untagged(`VANISHED ${formatNumSet(gone.uids)}`);
  } else {
    let text = "";
    for (const n of gone.seqs) text += `* ${n} EXPUNGE\r\n`;
    session.conn.write(text);
  }
}

/** The number of recent messages, if it differs from the last one reported. */
function writeRecent(session: Session, view: View): void {
  if (view.recent.length === 0 || !session.tellsRecent) return;
  const n = view.recentCount;
  if (n === view.toldRecent) return;
  view.toldRecent = n;
  session.untagged(`${n} RECENT`);
}

/**
 * Sends pending changes. With `expunges` false (RFC 9051 §7.5.1: not while FETCH, STORE or SEARCH by
 * sequence number is answered) expunged messages keep their numbers until later.
 */
export async function deliverChanges(session: Session, expunges: boolean): Promise<void> {
  if (session.sources.some((x) => x.listener.overflowed)) {
    overflow(session);
    if (session.ended) return;
  }
  const v = session.view;
  const group = session.notify && selectedGroup(session.notify);
  const wantsNew = !session.notify || group?.events.has("MESSAGENEW") === true;
  const wantsExpunge = !session.notify || group?.events.has("MESSAGEEXPUNGE") === true;
  const wantsFlags = !session.notify || group?.events.has("FLAGCHANGE") === true;
  let added: number[] = [];
  const allAdded: number[] = [];
  const arrive = (view: View, uid: number) => {
    if (!view.add(uid)) return;
    view.claimRecent(uid);
    added.push(uid);
    allAdded.push(uid);
  };
  const flagChanges = new Map<number, Change & { kind: "changeFlags" }>();
  const other: OtherChanges = new Map();
  const known = v?.count ?? 0;
  if (v && wantsNew) {
    for (const uid of v.held.arrived) arrive(v, uid);
    v.held.arrived = [];
  }

  for (const [source, c] of pending(session)) {
    if (v && v.source === source && "mailboxId" in c && c.mailboxId === v.mailboxId) {
      switch (c.kind) {
        case "addMessage":
          // The client can't use a number that was never announced.
          if (wantsNew) arrive(v, c.uid);
          else v.held.arrived.push(c.uid);
          continue;
        case "removeMessages":
          if (v.held.arrived.length > 0) {
            const gone = new Set(c.uids);
            v.held.arrived = v.held.arrived.filter((uid) => !gone.has(uid));
          }
          for (const uid of c.uids) {
            v.expunged.push(uid);
            flagChanges.delete(uid);
          }
          continue;
        case "changeFlags":
          // The last change counts; one line per message.
          flagChanges.delete(c.uid);
          flagChanges.set(c.uid, c);
          continue;
        case "mailboxKeywords":
          announceKeywords(session, c.keywords);
          continue;
        case "removeMailbox":
          // RFC 2180 §3.3 leaves it open; the view is emptied, and commands that need the mailbox get NO.
          v.readOnly = true;
          break;
      }
    }
    if (session.notify) noteOther(session, session.notify, source, c, other);
    else if (c.kind === "annotation") {
      noteAnnotation(session, source, c, () => session.enabled.has("METADATA"));
    }
  }

  if (v) {
    if (v.count > known) session.untagged(`${v.count} EXISTS`);
    writeRecent(session, v);
    if (wantsFlags) writeHeldFlags(session, v, flagChanges);
    else for (const uid of flagChanges.keys()) v.held.flags.add(uid);
    for (const c of wantsFlags ? flagChanges.values() : []) {
      const own = session.ownFlags.get(c.uid);
      if (own && own.modseq >= c.modseq) {
        if (own.silent) {
          writeFlags(session, c.uid, own.flags, own.keywords.join(" "), own.modseq, true);
        }
        continue;
      }
      writeFlags(session, c.uid, c.flags, c.keywords.join(" "), c.modseq, true);
    }
    // With NOTIFY "selected-delayed" expunges wait for the commands that allow them (RFC 5465 §6.2).
    if (expunges && v.expunged.length > 0 && wantsExpunge) {
      const gone = v.expunged;
      v.expunged = [];
      const set = new Set(gone);
      added = added.filter((uid) => !set.has(uid));
      announceExpunged(session, gone);
    }
    writeRecent(session, v);
    if (added.length > 0 && group && group.items.length > 0) {
      await fetchUids(session, Uint32Array.from(added), group.items, { uid: true });
    }
  }
  session.ownFlags.clear();
  if (v && v.contexts.length > 0) {
    const touched = [...v.touched, ...flagChanges.keys(), ...allAdded];
    v.touched = [];
    await updateContexts(session, touched, allAdded);
  }
  for (const [source, mailboxes] of other) {
    for (const [id, items] of mailboxes) {
      const mailbox = source.account.mailbox(id);
      if (!mailbox) continue;
      const name = source.prefix + mailbox.name;
      session.untagged(statusText(session, { account: source.account, mailbox, name }, [...items]));
    }
  }
}

/**
 * More changes than are kept. With a mailbox selected, the client's view can't be brought up to date any more; without
 * one only NOTIFY's events are lost, and NOTIFY ends (RFC 5465 §5.8).
 */
function overflow(session: Session): void {
  if (session.view) {
    session.untagged("BYE [UNAVAILABLE] too many changes were not fetched, log in again");
    session.ended = true;
    return;
  }
  if (session.notify && session.notify.groups.length > 0) {
    session.untagged("OK [NOTIFICATIONOVERFLOW] too many changes were not fetched");
    session.notify = { groups: [] };
  }
  for (const source of session.sources) {
    source.listener.close();
    source.listener = source.account.listen();
  }
}

/** Current values of flags that NOTIFY had held back, except where there is a newer change. */
function writeHeldFlags(session: Session, view: View, news: ReadonlyMap<number, unknown>): void {
  if (view.held.flags.size === 0) return;
  const uids = [...view.held.flags].filter((u) => !news.has(u)).sort((a, b) => a - b);
  view.held.flags.clear();
  view.account.fetch(view.mailboxId, uids, 0, (row) => {
    writeFlags(session, row.uid, row.flags, row.keywords, row.modseq, true);
  });
}

/** Changes since the last call, each with its account. */
function* pending(session: Session): Generator<[Source, Change]> {
  for (const source of session.sources) {
    if (!source.listener.pending) continue;
    const changes = source.listener.take();
    const { view: v, account } = session;
    // Nothing is reported of a mailbox that may no longer be read.
    const hidden = v?.source === source && source.account !== account &&
        !effectiveRights(source.account, v.mailboxId, session.store.name).includes("r")
      ? v.mailboxId
      : undefined;
    for (const c of changes) {
      if (hidden === undefined || !("mailboxId" in c) || c.mailboxId !== hidden) yield [source, c];
    }
  }
}

/** STATUS items of mailboxes that aren't selected. */
type OtherChanges = Map<Source, Map<MailboxId, Set<string>>>;

/** NOTIFY: what happened in a mailbox that isn't selected, or to mailboxes (RFC 5465 §5). */
function noteOther(
  session: Session,
  rules: NotifyRules,
  source: Source,
  change: Change,
  status: OtherChanges,
): void {
  const { account, prefix } = source;
  const own = account === session.account;
  const events = (name: string) => eventsFor(rules, session.store, prefix + name);
  const text = (name: string) => session.mailboxText(prefix + name);
  const may = (mailboxId: MailboxId, right: string) =>
    own || effectiveRights(account, mailboxId, session.store.name).includes(right);
  switch (change.kind) {
    case "addMessage":
    case "removeMessages":
    case "changeFlags": {
      const m = account.mailbox(change.mailboxId);
      const want = m && events(m.name);
      if (!m || !want || !may(m.id, "r")) return;
      const kind = change.kind === "addMessage"
        ? "MESSAGENEW"
        : change.kind === "removeMessages"
        ? "MESSAGEEXPUNGE"
        : "FLAGCHANGE";
      if (!want.has(kind)) return;
      const mailboxes = status.get(source) ?? new Map<MailboxId, Set<string>>();
      const items = mailboxes.get(m.id) ?? new Set<string>();
      status.set(source, mailboxes.set(m.id, items));
      if (kind === "FLAGCHANGE") {
        items.add("UIDVALIDITY").add("UNSEEN");
      } else {
        items.add("MESSAGES").add("UIDNEXT").add("UIDVALIDITY").add("UNSEEN");
      }
      // RFC 5465 §5.3: always for changed flags, as CONDSTORE is supported.
      if (session.condstore || kind === "FLAGCHANGE") items.add("HIGHESTMODSEQ");
      return;
    }
    case "addMailbox":
      if (events(change.mailbox.name)?.has("MAILBOXNAME") && may(change.mailbox.id, "l")) {
        const attrs = change.subscribed && own ? "\\Subscribed" : "";
        session.untagged(`LIST (${attrs}) "/" ${text(change.mailbox.name)}`);
      }
      return;
    case "removeMailbox":
      // A deleted mailbox has no rights any more: report it only if it was listed before.
      if (
        events(change.name)?.has("MAILBOXNAME") && (own || source.listed?.has(change.mailboxId))
      ) {
        session.untagged(`LIST (\\NonExistent) "/" ${text(change.name)}`);
      }
      return;
    case "renameMailbox":
      if (
        (events(change.newName)?.has("MAILBOXNAME") ||
          events(change.oldName)?.has("MAILBOXNAME")) &&
        may(change.mailboxId, "l")
      ) {
        session.untagged(
          `LIST () "/" ${text(change.newName)} ("OLDNAME" (${text(change.oldName)}))`,
        );
      }
      return;
    case "subscription":
      if (own && events(change.name)?.has("SUBSCRIPTIONCHANGE")) {
        const there = session.store.mailboxByName(change.name) !== undefined;
        const attrs = [change.subscribed ? "\\Subscribed" : "", there ? "" : "\\NonExistent"];
        session.untagged(
          `LIST (${attrs.filter(Boolean).join(" ")}) "/" ${session.mailboxText(change.name)}`,
        );
      }
      return;
    case "annotation":
      noteAnnotation(
        session,
        source,
        change,
        (name) =>
          name === undefined
            ? rules.groups.some((g) => g.events.has("SERVERMETADATACHANGE"))
            : events(name)?.has("MAILBOXMETADATACHANGE") === true,
      );
  }
}

/** A changed annotation, by its name only (RFC 5464 §4.4.2). Private ones are for the owner alone. */
function noteAnnotation(
  session: Session,
  source: Source,
  c: Change & { kind: "annotation" },
  wanted: (mailbox: string | undefined) => boolean,
): void {
  const { account, prefix } = source;
  const own = account === session.account;
  if (c.mailboxId === 0) {
    if (own && wanted(undefined)) session.untagged(`METADATA "" ${formatAstring(c.key, true)}`);
    return;
  }
  const m = account.mailbox(c.mailboxId);
  if (!m || !wanted(m.name)) return;
  if (!own) {
    const rights = effectiveRights(account, m.id, session.store.name);
    if (isPrivateEntry(c.key) || !rights.includes("l") || !rights.includes("r")) return;
  }
  session.untagged(
    `METADATA ${session.mailboxText(prefix + m.name)} ${formatAstring(c.key, true)}`,
  );
}

/** Sends changes as they happen, until there is input (or the connection has ended). */
export async function deliverUntilInput(session: Session, expunges: boolean): Promise<void> {
  const { conn } = session;
  for (;;) {
    // Pending changes are sent first; the signal stays set for changes that arrive meanwhile.
    await deliverChanges(session, expunges);
    await conn.flush();
    if (session.ended || session.sources.length === 0 || conn.buffered > 0) return;
    const stop = new AbortController();
    const input = conn.waitInput(stop.signal);
    // If it fails after the listener has won, the next read reports it.
    input.catch(() => {});
    try {
      await Promise.race([input, ...session.sources.map((x) => x.listener.wait(stop.signal))]);
    } finally {
      stop.abort();
    }
    if (conn.buffered > 0 || !session.sources.some((x) => x.listener.pending)) return;
  }
}
