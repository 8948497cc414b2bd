/**
 * CAPABILITY, NOOP, CHECK, LOGOUT, ID, ENABLE and NAMESPACE: commands of a few lines.
 *
 * @module
 */
import { formatString } from "../../format/text.ts";
import { capabilityText } from "../capabilities.ts";
import { anyState, type Command, loggedIn } from "../command.ts";
import { otherUsers } from "../places.ts";
import { type Enabled, State } from "../session.ts";

export const capability: Command = {
  name: "CAPABILITY",
  states: anyState,
  parse: (_, s) => () => s.untagged(`CAPABILITY ${capabilityText(s)}`),
};

export const noop: Command = { name: "NOOP", states: anyState, parse: () => () => {} };

export const check: Command = { name: "CHECK", states: State.Selected, parse: () => () => {} };

export const logout: Command = {
  name: "LOGOUT",
  states: anyState,
  parse: (_, s) => () => {
    s.untagged("BYE logging out");
    s.ended = true;
  },
};

/** RFC 2971. */
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

/** RFC 5161. */
export const enable: Command = {
  name: "ENABLE",
  states: loggedIn,
  capabilities: ["ENABLE"],
  parse(c, s) {
    const names: string[] = [];
    do {
      c.sp();
      names.push(c.word("capability"));
    } while (!c.atEnd);
    return () => {
      const now: string[] = [];
      const hadCondstore = s.condstore;
      const on = (e: Enabled) => {
        if (!s.enabled.has(e)) {
          s.enabled.add(e);
          now.push(e);
        }
      };
      for (const n of names) {
        switch (n) {
          case "CONDSTORE":
            on("CONDSTORE");
            break;
          case "QRESYNC":
            // RFC 7162 §3.2.3: also switches on CONDSTORE.
            on("QRESYNC");
            on("CONDSTORE");
            break;
          case "IMAP4REV2":
          case "METADATA":
          case "UTF8=ACCEPT":
          case "UIDONLY":
            on(n);
        }
      }
      // RFC 7162 §3.1.2: told in the selected state by whatever command switches it on.
      if (s.condstore && !hadCondstore) s.tellHighestModseq();
      s.untagged(`ENABLED${now.map((n) => ` ${n === "IMAP4REV2" ? "IMAP4rev2" : n}`).join("")}`);
    };
  },
};

/** RFC 2342, RFC 9051 §6.3.10. */
export const namespace: Command = {
  name: "NAMESPACE",
  states: loggedIn,
  capabilities: ["NAMESPACE"],
  parse: (_, s) => () => {
    const others = s.backend.sharing ? `(("${otherUsers}/" "/"))` : "NIL";
    s.untagged(`NAMESPACE (("" "/")) ${others} NIL`);
  },
};
