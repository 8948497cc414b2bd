/**
 * CLOSE (RFC 9051 §6.4.1).
 *
 * @module
 */
import type { Command } from "../session/command.ts";
import { State } from "../session/session.ts";

export const close: Command = {
  name: "CLOSE",
  states: State.Selected,
  parse: (_, session) => async () => {
    const v = session.selected;
    session.closeView();
    // RFC 9051 §6.4.1: removes silently, and nothing in a read-only mailbox; RFC 4314 §4: nor
    // without the right to expunge.
    if (v.readOnly || !v.rights.includes("e") || !v.account.mailbox(v.mailboxId)) return;
    const r = await v.account.expunge(v.mailboxId);
    // RFC 7162 §3.2.8.
    if (session.condstore && r.uids.length > 0) {
      return { code: `HIGHESTMODSEQ ${r.modseq}`, text: "closed" };
    }
  },
};
