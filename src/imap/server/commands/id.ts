/**
 * ID (RFC 2971).
 *
 * @module
 */
import { formatString } from "../../format/text.ts";
import { anyState, type Command } from "../session/command.ts";

export const id: Command = {
  name: "ID",
  states: anyState,
  capabilities: ["ID"],
  parse(c, s) {
    c.sp();
    const fields: Record<string, string> = {};
    if (!c.takeWord("NIL")) {
      c.expect("(");
      const start = c.pos;
      let n = 0;
      while (!c.take(")")) {
        if (c.pos > start) c.sp();
        // RFC 2971 §3.3: at most 30 pairs.
        if (++n > 30) c.fail("at most 30 fields");
        const key = c.string("field name");
        c.sp();
        fields[key.toLowerCase()] = c.nstring("field value") ?? "";
      }
    }
    return () => {
      s.log.info("imap client id", {
        name: fields.name?.slice(0, 100),
        version: fields.version?.slice(0, 100),
      });
      s.untagged(`ID ("name" ${formatString("mox", false)})`);
    };
  },
};
