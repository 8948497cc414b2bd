/**
 * ENABLE (RFC 5161, RFC 9051 §6.3.1).
 *
 * @module
 */
import { type Command, loggedIn } from "../session/command.ts";
import type { Enabled } from "../session/session.ts";

export const enable: Command = {
  name: "ENABLE",
  states: loggedIn,
  capabilities: ["ENABLE"],
  parse(cursor, session) {
    const names: string[] = [];
    do {
      cursor.sp();
      names.push(cursor.word("capability"));
    } while (!cursor.atEnd);
    return () => {
      const now: string[] = [];
      const hadCondstore = session.condstore;
      const on = (enabled: Enabled) => {
        if (!session.enabled.has(enabled)) {
          session.enabled.add(enabled);
          now.push(enabled);
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
      // RFC 7162 §3.1.2: sent in the selected state by whichever command switches it on.
      if (session.condstore && !hadCondstore) session.tellHighestModseq();
      session.untagged(
        `ENABLED${now.map((n) => ` ${n === "IMAP4REV2" ? "IMAP4rev2" : n}`).join("")}`,
      );
    };
  },
};
