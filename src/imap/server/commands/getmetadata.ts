/**
 * GETMETADATA (RFC 5464 §4.2).
 *
 * @module
 */
import type { Answer } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { checkEntry, metadataTarget } from "../mailboxes/metadata_entries.ts";
import { metadataText } from "../names/metadata_text.ts";

export const getMetadata: Command = {
  name: "GETMETADATA",
  states: loggedIn,
  capabilities: ["METADATA"],
  parse(cursor, session) {
    cursor.sp();
    let depth = 0;
    let maxSize: number | undefined;
    const options = () =>
      cursor.list(() => {
        if (cursor.oneOf(["MAXSIZE", "DEPTH"], "MAXSIZE or DEPTH") === "MAXSIZE") {
          cursor.sp();
          maxSize = cursor.number64("size");
        } else {
          cursor.sp();
          const w = cursor.oneOf(["0", "1", "INFINITY"], "0, 1 or infinity");
          depth = w === "0" ? 0 : w === "1" ? 1 : Infinity;
        }
      });
    // RFC 5464 §4.2 puts the options first; its erratum and some clients put them after the mailbox.
    if (cursor.at("(")) {
      options();
      cursor.sp();
    }
    const name = cursor.mailbox();
    cursor.sp();
    if (cursor.at("(")) {
      const next = String.fromCharCode(cursor.bytes[cursor.pos + 1] ?? 0);
      if (next === "M" || next === "m" || next === "D" || next === "d") {
        options();
        cursor.sp();
      }
    }
    const entries = cursor.at("(")
      ? cursor.list(() => cursor.astring("entry name"))
      : [cursor.astring("entry name")];
    return async (): Promise<Answer | void> => {
      for (const e of entries) checkEntry(e, depth);
      // RFC 5464 §4.2 with RFC 4314: whoever may read the mailbox may read its annotations.
      const { source: { account }, id, name: found } = await metadataTarget(session, name, "r");
      const sharedOnly = account !== session.account;
      const r = metadataText(account, id, entries, depth, { maxSize, sharedOnly });
      if (r.pieces.length > 0) {
        session.conn.write(`* METADATA ${found === "" ? '""' : session.mailboxText(found)} (`);
        for (const p of r.pieces) session.conn.write(p);
        session.conn.write(")\r\n");
      }
      if (r.longest > 0) {
        return { code: `METADATA LONGENTRIES ${r.longest}`, text: "some values are longer" };
      }
    };
  },
};
