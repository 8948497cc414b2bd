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
  parse(c, s) {
    c.sp();
    let depth = 0;
    let maxSize: number | undefined;
    const options = () =>
      c.list(() => {
        if (c.oneOf(["MAXSIZE", "DEPTH"], "MAXSIZE or DEPTH") === "MAXSIZE") {
          c.sp();
          maxSize = c.number64("size");
        } else {
          c.sp();
          const w = c.oneOf(["0", "1", "INFINITY"], "0, 1 or infinity");
          depth = w === "0" ? 0 : w === "1" ? 1 : Infinity;
        }
      });
    // RFC 5464 §4.2 has the options first; its erratum and clients put them after the mailbox too.
    if (c.at("(")) {
      options();
      c.sp();
    }
    const name = c.mailbox();
    c.sp();
    if (c.at("(")) {
      const next = String.fromCharCode(c.bytes[c.pos + 1] ?? 0);
      if (next === "M" || next === "m" || next === "D" || next === "d") {
        options();
        c.sp();
      }
    }
    const entries = c.at("(") ? c.list(() => c.astring("entry name")) : [c.astring("entry name")];
    return async (): Promise<Answer | void> => {
      for (const e of entries) checkEntry(e, depth);
      // RFC 5464 §4.2 with RFC 4314: who may read the mailbox may read what is noted about it.
      const { source: { account }, id, name: found } = await metadataTarget(s, name, "r");
      const sharedOnly = account !== s.account;
      const r = metadataText(account, id, entries, depth, { maxSize, sharedOnly });
      if (r.pieces.length > 0) {
        s.conn.write(`* METADATA ${found === "" ? '""' : s.mailboxText(found)} (`);
        for (const p of r.pieces) s.conn.write(p);
        s.conn.write(")\r\n");
      }
      if (r.longest > 0) {
        return { code: `METADATA LONGENTRIES ${r.longest}`, text: "some values are longer" };
      }
    };
  },
};
