/**
 * STORE and UID STORE (RFC 9051 §6.4.6), with UNCHANGEDSINCE (RFC 7162 §3.1.3).
 *
 * @module
 */
import { formatNumSet, type NumSet, parseNumSet } from "../../parse/numset.ts";
import { type Answer, ImapNo } from "../session/answer.ts";
import { flagsLine, writeFlags } from "../updates/changes.ts";
import { FlagLines } from "../fetch/flags_bytes.ts";
import { announceKeywords } from "../fetch/flags_lines.ts";
import type { Command } from "../session/command.ts";
import { splitFlags } from "../messages/flag_bits.ts";
import { changeableFlags } from "../../../store/messages/flag_rights.ts";
import { resolveUids } from "../messages/resolve.ts";
import { type Session, State } from "../session/session.ts";

/** Messages whose new flags are written before waiting for the peer. */
const slice = 500;
/** Lines that are made as bytes from so many on; for fewer the buffer costs more than they do. */
const manyLines = 50;

function storeCommand(uid: boolean): Command {
  return {
    name: uid ? "UID STORE" : "STORE",
    states: State.Selected,
    holdsExpunges: !uid,
    parse(cursor, session) {
      cursor.sp();
      const set = parseNumSet(cursor, uid ? "uid set" : "sequence set");
      cursor.sp();
      let unchangedSince: number | undefined;
      if (cursor.at("(")) {
        cursor.options(() => {
          if (!cursor.takeWord("UNCHANGEDSINCE")) cursor.fail("UNCHANGEDSINCE");
          cursor.sp();
          unchangedSince = cursor.number64("modseq");
        });
        cursor.sp();
      }
      const op = cursor.take("+") ? "add" : cursor.take("-") ? "remove" : "set";
      const silent = cursor.oneOf(["FLAGS", "FLAGS.SILENT"], "FLAGS or FLAGS.SILENT") !== "FLAGS";
      cursor.sp();
      const names: string[] = [];
      if (cursor.at("(")) {
        names.push(...cursor.flagList());
      } else {
        do names.push(cursor.flag()); while (cursor.take(" "));
      }
      return () => store(session, uid, set, op, names, silent, unchangedSince);
    },
  };
}

async function store(
  session: Session,
  uid: boolean,
  set: NumSet,
  op: "set" | "add" | "remove",
  names: string[],
  silent: boolean,
  unchangedSince: number | undefined,
): Promise<Answer | void> {
  if (!uid) session.requireSequenceNumbers();
  if (unchangedSince !== undefined) session.enableCondstore();
  const uids = resolveUids(session, set, uid);
  const v = session.writable();
  const { flags, keywords } = splitFlags(names);
  const only = changeableFlags(v.rights);
  // RFC 4314 §4: NO only if none of the flags may be changed.
  if (only && (op === "set" || names.length > 0)) {
    const some = op === "set" ? only.flags !== 0 || only.keywords : (flags & only.flags) !== 0 ||
      (only.keywords && keywords.length > 0);
    if (!some) throw new ImapNo("you have no right to change these flags", "NOPERM");
  }
  const r = await v.account.storeFlags(v.mailboxId, uids, op, flags, keywords, {
    unchangedSince,
    origin: v.source.listener,
    only,
  });
  session.noteOwnFlags(r.changed, silent);
  if (r.changed.length > 0) {
    await session.backend.scripts?.note({
      account: v.account,
      login: session.login ?? "",
      cause: "FLAG",
      mailboxId: v.mailboxId,
      uids: r.changed.map((m) => m.uid),
      changedFlags: names,
    });
  }
  if (op !== "remove" && only?.keywords !== false) {
    announceKeywords(session, v.account.mailbox(v.mailboxId)?.keywords ?? []);
  }
  // RFC 7162 §3.1.3: .SILENT keeps the flags back, never the modseq.
  const tells = silent ? session.condstore : true;
  const lines = r.changed.length >= manyLines && !silent && !session.uidOnly
    ? new FlagLines((bytes) => session.conn.write(bytes), v.keywords)
    : undefined;
  let out = "";
  for (let i = 0; tells && i < r.changed.length; i++) {
    const c = r.changed[i];
    const words = silent || c.keywords.length === 0 ? "" : c.keywords.join(" ");
    if (lines) {
      const seq = v.seqOf(c.uid);
      // What the client doesn't know isn't told.
      if (seq > 0) {
        const { condstore } = session;
        const flags = session.shownFlags(c.uid, c.flags);
        lines.add(seq, uid || condstore ? c.uid : 0, flags, words, condstore ? c.modseq : 0);
      }
    } else if (!silent) {
      out += flagsLine(session, c.uid, c.flags, words, c.modseq, uid);
    } else if (session.uidOnly) out += `* ${c.uid} UIDFETCH (MODSEQ (${c.modseq}))\r\n`;
    else out += `* ${v.seqOf(c.uid)} FETCH (UID ${c.uid} MODSEQ (${c.modseq}))\r\n`;
    if (i % slice !== slice - 1) continue;
    lines?.flush();
    session.conn.write(out);
    out = "";
    await session.conn.flush();
  }
  lines?.flush();
  session.conn.write(out);
  if (r.modified.length > 0) {
    // The client learns what the flags are now (RFC 7162 §3.1.3, example 7).
    v.account.fetch(v.mailboxId, r.modified, 0, (row) => {
      writeFlags(session, row.uid, row.flags, row.keywords, row.modseq, uid);
    });
    const numbers = uid ? r.modified : r.modified.map((u) => v.seqOf(u));
    return { code: `MODIFIED ${formatNumSet(numbers)}`, text: "some messages were changed before" };
  }
  if (r.missing.length > 0 && !uid && r.changed.length === 0) {
    throw new ImapNo("the messages are gone", "EXPUNGEISSUED");
  }
}

export const storeBySeq = storeCommand(false);
export const storeByUid = storeCommand(true);
