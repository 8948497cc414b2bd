/**
 * SELECT and EXAMINE (RFC 9051 §6.3.2 and §6.3.3), with CONDSTORE and QRESYNC (RFC 7162).
 *
 * @module
 */
import type { Cursor } from "../../parse/cursor.ts";
import { formatNumSet, normalRanges, type NumSet, parseNumSet } from "../../parse/numset.ts";
import { type Answer, ImapBad, ImapNo } from "../session/answer.ts";
import { deliverChanges, writeFlags } from "../updates/changes.ts";
import { writeFlagsLines } from "../fetch/flags_lines.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { idSuffix, place, sourceOf } from "../mailboxes/places.ts";
import type { Session } from "../session/session.ts";
import { View } from "../session/view.ts";

interface Qresync {
  uidValidity: number;
  modseq: number;
  known?: NumSet;
  match?: { seqs: NumSet; uids: NumSet };
}

function parseQresync(cursor: Cursor): Qresync {
  cursor.expect("(");
  const q: Qresync = { uidValidity: cursor.nzNumber("uidvalidity"), modseq: 0 };
  cursor.sp();
  q.modseq = cursor.number64("modseq");
  if (!cursor.at(")")) {
    cursor.sp();
    if (!cursor.at("(")) {
      q.known = parseNumSet(cursor, "known uids", false);
      if (!cursor.at(")")) cursor.sp();
    }
    if (cursor.take("(")) {
      const seqs = parseNumSet(cursor, "known sequence numbers", false);
      cursor.sp();
      q.match = { seqs, uids: parseNumSet(cursor, "their uids", false) };
      cursor.expect(")");
    }
  }
  cursor.expect(")");
  return q;
}

function selectCommand(name: "SELECT" | "EXAMINE"): Command {
  return {
    name,
    states: loggedIn,
    capabilities: ["CONDSTORE", "QRESYNC"],
    parse(cursor, session) {
      cursor.sp();
      const mailboxName = cursor.mailbox();
      let condstore = false;
      let qresync: Qresync | undefined;
      if (!cursor.atEnd) {
        cursor.sp();
        cursor.options(() => {
          if (cursor.oneOf(["CONDSTORE", "QRESYNC"], "CONDSTORE or QRESYNC") === "CONDSTORE") {
            condstore = true;
          } else {
            cursor.sp();
            qresync = parseQresync(cursor);
          }
        });
      }
      return () => select(session, mailboxName, name === "EXAMINE", condstore, qresync);
    },
  };
}

async function select(
  session: Session,
  name: string,
  readOnly: boolean,
  condstore: boolean,
  qresync: Qresync | undefined,
): Promise<Answer> {
  // RFC 7162 §3.2.5: QRESYNC must have been enabled.
  if (qresync && !session.enabled.has("QRESYNC")) throw new ImapBad("ENABLE QRESYNC first");
  // RFC 9586 §3.3: message numbers are not allowed with UIDONLY.
  if (qresync?.match) session.requireSequenceNumbers();
  if (session.view) {
    session.closeView();
    // RFC 9051 §7.1: marks the end of the old mailbox, even if the new one can't be selected.
    session.untagged("OK [CLOSED] mailbox closed");
  }
  const found = await place(session, name, "r");
  const { account, rights } = found;
  await account.prepareRows(found.mailbox.id);
  const source = sourceOf(session, account);
  // Pending changes are about unselected mailboxes; the uids read now include them.
  await deliverChanges(session, true);
  const m = account.mailbox(found.mailbox.id);
  if (!m) throw new ImapNo("no such mailbox", "NONEXISTENT");
  if (condstore) session.enabled.add("CONDSTORE");
  const uids = account.uids(m.id);
  // RFC 4314 §5.2: a mailbox is read-only if none of its rights allow a change.
  readOnly ||= !/[swite]/.test(rights);
  const view = new View(source, { ...found, mailbox: m }, uids, readOnly);
  session.view = view;
  view.claimRecent(m.uidNext - 1);

  writeFlagsLines(session, view);
  session.untagged(`${uids.length} EXISTS`);
  if (!session.enabled.has("IMAP4REV2")) {
    view.toldRecent = session.tellsRecent ? view.recentCount : 0;
    session.untagged(`${view.toldRecent} RECENT`);
    const first = m.unseen > 0 ? account.firstUnseenUid(m.id) : undefined;
    if (first !== undefined && !session.uidOnly) {
      session.untagged(`OK [UNSEEN ${view.seqOf(first)}] first unseen`);
    }
  }
  session.untagged(`OK [UIDVALIDITY ${m.uidValidity}] valid`);
  session.untagged(`OK [UIDNEXT ${m.uidNext}] next`);
  // RFC 9051 §6.3.2 asks for it; clients of rev1 don't expect it here.
  if (session.enabled.has("IMAP4REV2")) {
    session.untagged(`LIST () "/" ${session.mailboxText(view.name)}`);
  }
  session.untagged(`OK [HIGHESTMODSEQ ${m.modseq}] highest`);
  // RFC 4467 §8.
  if (account === session.store) session.untagged("OK [URLMECH INTERNAL] mechanisms for URLs");
  // RFC 8474 §4.1.
  session.untagged(`OK [MAILBOXID (M${m.id}${idSuffix(session, account)})] id`);
  if (qresync) resync(session, view, qresync);
  return readOnly
    ? { code: "READ-ONLY", text: "mailbox is open for reading" }
    : { code: "READ-WRITE", text: "mailbox is open" };
}

/** Sends the changes since the client's last visit (RFC 7162 §3.2.5). */
function resync(session: Session, view: View, qresync: Qresync): void {
  if (qresync.uidValidity !== view.uidValidity) return;
  const gone = view.account.expungedSince(view.mailboxId, qresync.modseq);
  let from = 1;
  if (qresync.match) {
    // §3.2.5.2: up to the last matching pair the client has the right uids: nothing before it
    // can have vanished.
    const seqs = expand(qresync.match.seqs);
    const uids = expand(qresync.match.uids);
    for (let i = 0; i < Math.min(seqs.length, uids.length); i++) {
      if (view.seqOf(uids[i]) !== seqs[i]) break;
      from = uids[i] + 1;
    }
  }
  const known = qresync.known
    ? normalRanges(qresync.known, view.account.highestEverUid(view.mailboxId))
    : undefined;
  const inKnown = (uid: number) => !known || known.some(([a, b]) => uid >= a && uid <= b);
  const vanished = gone.filter((uid) => uid >= from && inKnown(uid));
  if (vanished.length > 0) session.untagged(`VANISHED (EARLIER) ${formatNumSet(vanished)}`);
  view.account.fetchSince(view.mailboxId, qresync.modseq, 0, (row) => {
    if (inKnown(row.uid)) writeFlags(session, row.uid, row.flags, row.keywords, row.modseq, true);
  });
}

/** Numbers of a set without "*", at most 1000. */
function expand(set: NumSet): number[] {
  const r: number[] = [];
  for (const [a, b] of normalRanges(set, 0)) {
    for (let n = a; n <= b && r.length < 1000; n++) if (n > 0) r.push(n);
  }
  return r;
}

export const selectMailbox = selectCommand("SELECT");

export const examine = selectCommand("EXAMINE");
