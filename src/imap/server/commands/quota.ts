/**
 * GETQUOTA and GETQUOTAROOT (RFC 9208). The account's limit is set by its admin, so there is no SETQUOTA.
 *
 * @module
 */
import { ImapNo } from "../answer.ts";
import { type Command, loggedIn } from "../command.ts";
import type { Session } from "../session.ts";

function quotaLine(s: Session): void {
  const { used, limit } = s.store.quota().messageSize;
  // RFC 9208 §5.1: STORAGE counts units of 1024 bytes.
  const resources = limit === undefined
    ? ""
    : `STORAGE ${Math.ceil(used / 1024)} ${Math.floor(limit / 1024)}`;
  s.untagged(`QUOTA "" (${resources})`);
}

export const getQuota: Command = {
  name: "GETQUOTA",
  states: loggedIn,
  capabilities: ["QUOTA", "QUOTA=RES-STORAGE"],
  parse(c, s) {
    c.sp();
    const root = c.astring("quota root");
    return () => {
      if (root !== "") throw new ImapNo("no such quota root", "NONEXISTENT");
      quotaLine(s);
    };
  },
};

export const getQuotaRoot: Command = {
  name: "GETQUOTAROOT",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    return () => {
      const m = s.mailbox(name);
      s.untagged(`QUOTAROOT ${s.mailboxText(m.name)} ""`);
      quotaLine(s);
    };
  },
};
