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

function parseQresync(c: Cursor): Qresync {
  c.expect("(");
  const q: Qresync = { uidValidity: c.nzNumber("uidvalidity"), modseq: 0 };
  c.sp();
  q.modseq = c.number64("modseq");
  if (!c.at(")")) {
    c.sp();
    if (!c.at("(")) {
      q.known = parseNumSet(c, "known uids", false);
      if (!c.at(")")) c.sp();
    }
    if (c.take("(")) {
      const seqs = parseNumSet(c, "known sequence numbers", false);
      c.sp();
      q.match = { seqs, uids: parseNumSet(c, "their uids", false) };
      c.expect(")");
    }
  }
  c.expect(")");
  return q;
}

function selectCommand(name: "SELECT" | "EXAMINE"): Command {
  return {
    name,
    states: loggedIn,
    capabilities: ["CONDSTORE", "QRESYNC"],
    parse(c, s) {
      c.sp();
      const mailboxName = c.mailbox();
      let condstore = false;
      let qresync: Qresync | undefined;
      if (!c.atEnd) {
        c.sp();
        c.list(() => {
          if (c.oneOf(["CONDSTORE", "QRESYNC"], "CONDSTORE or QRESYNC") === "CONDSTORE") {
            condstore = true;
          } else {
            c.sp();
            qresync = parseQresync(c);
          }
        });
      }
      return () => select(s, mailboxName, name === "EXAMINE", condstore, qresync);
    },
  };
}

async function select(
  s: Session,
  name: string,
  readOnly: boolean,
  condstore: boolean,
  qresync: Qresync | undefined,
): Promise<Answer> {
  // RFC 7162 §3.2.5: QRESYNC must have been enabled.
  if (qresync && !s.enabled.has("QRESYNC")) throw new ImapBad("ENABLE QRESYNC first");
  // RFC 9586 §3.3: numbers of messages have no place there.
  if (qresync?.match) s.requireSequenceNumbers();
  if (s.view) {
    s.closeView();
    // RFC 9051 §7.1: tells where the old mailbox ends, also when the new one can't be selected.
    s.untagged("OK [CLOSED] mailbox closed");
  }
  const found = await place(s, name, "r");
  const { account, rights } = found;
  await account.prepareRows(found.mailbox.id);
  const source = sourceOf(s, account);
  // What is pending is about mailboxes not selected; uids read now include it.
  await deliverChanges(s, true);
  const m = account.mailbox(found.mailbox.id);
  if (!m) throw new ImapNo("no such mailbox", "NONEXISTENT");
  if (condstore) s.enabled.add("CONDSTORE");
  const uids = account.uids(m.id);
  // RFC 4314 §5.2: read-only is what offers nothing to change.
  readOnly ||= !/[swite]/.test(rights);
  const view = new View(source, { ...found, mailbox: m }, uids, readOnly);
  s.view = view;

  writeFlagsLines(s, view);
  s.untagged(`${uids.length} EXISTS`);
  if (!s.enabled.has("IMAP4REV2")) {
    s.untagged("0 RECENT");
    const first = m.unseen > 0 ? account.firstUnseenUid(m.id) : undefined;
    if (first !== undefined && !s.uidOnly) {
      s.untagged(`OK [UNSEEN ${view.seqOf(first)}] first unseen`);
    }
  }
  s.untagged(`OK [UIDVALIDITY ${m.uidValidity}] valid`);
  s.untagged(`OK [UIDNEXT ${m.uidNext}] next`);
  // RFC 9051 §6.3.2 asks for it; clients of rev1 don't expect it here.
  if (s.enabled.has("IMAP4REV2")) s.untagged(`LIST () "/" ${s.mailboxText(view.name)}`);
  s.untagged(`OK [HIGHESTMODSEQ ${m.modseq}] highest`);
  // RFC 4467 §8.
  if (account === s.store) s.untagged("OK [URLMECH INTERNAL] mechanisms for URLs");
  // RFC 8474 §4.1.
  s.untagged(`OK [MAILBOXID (M${m.id}${idSuffix(s, account)})] id`);
  if (qresync) resync(s, view, qresync);
  return readOnly
    ? { code: "READ-ONLY", text: "mailbox is open for reading" }
    : { code: "READ-WRITE", text: "mailbox is open" };
}

/** Sends what happened since the client was here last (RFC 7162 §3.2.5). */
function resync(s: Session, v: View, q: Qresync): void {
  if (q.uidValidity !== v.uidValidity) return;
  const gone = v.account.expungedSince(v.mailboxId, q.modseq);
  let from = 1;
  if (q.match) {
    // §3.2.5.2: up to the last pair that agrees the client has the right uids: nothing before it
    // can be gone.
    const seqs = expand(q.match.seqs);
    const uids = expand(q.match.uids);
    for (let i = 0; i < Math.min(seqs.length, uids.length); i++) {
      if (v.seqOf(uids[i]) !== seqs[i]) break;
      from = uids[i] + 1;
    }
  }
  const known = q.known ? normalRanges(q.known, v.account.highestEverUid(v.mailboxId)) : undefined;
  const inKnown = (uid: number) => !known || known.some(([a, b]) => uid >= a && uid <= b);
  const vanished = gone.filter((uid) => uid >= from && inKnown(uid));
  if (vanished.length > 0) s.untagged(`VANISHED (EARLIER) ${formatNumSet(vanished)}`);
  v.account.fetchSince(v.mailboxId, q.modseq, 0, (row) => {
    if (inKnown(row.uid)) writeFlags(s, row.uid, row.flags, row.keywords, row.modseq, true);
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
