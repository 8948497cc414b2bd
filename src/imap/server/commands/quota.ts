/**
 * GETQUOTA and GETQUOTAROOT (RFC 9208). The account's limit is set by its admin, so there is no SETQUOTA.
 *
 * @module
 */
import type { Account } from "../../../store/account.ts";
import { ImapNo } from "../answer.ts";
import { type Command, loggedIn } from "../command.ts";
import { otherUsers, place, sharedPlaces, splitShared } from "../places.ts";
import type { Session } from "../session.ts";

/** The quota root of an account: messages count for the account that they are in. */
function rootOf(s: Session, account: Account): string {
  return account === s.account ? "" : `${otherUsers}/${account.name}`;
}

function quotaLine(s: Session, account: Account): void {
  const { used, limit } = account.quota().messageSize;
  // RFC 9208 §5.1: STORAGE counts units of 1024 bytes.
  const resources = limit === undefined
    ? ""
    : `STORAGE ${Math.ceil(used / 1024)} ${Math.floor(limit / 1024)}`;
  s.untagged(`QUOTA ${s.mailboxText(rootOf(s, account))} (${resources})`);
}

export const getQuota: Command = {
  name: "GETQUOTA",
  states: loggedIn,
  capabilities: ["QUOTA", "QUOTA=RES-STORAGE"],
  parse(c, s) {
    c.sp();
    const root = c.astring("quota root");
    return async () => {
      const shared = splitShared(root);
      const account = root === ""
        ? s.store
        : shared && shared.rest === ""
        ? (await sharedPlaces(s)).find((p) => p.account.name === shared.owner)?.account
        : undefined;
      if (!account) throw new ImapNo("no such quota root", "NONEXISTENT");
      quotaLine(s, account);
    };
  },
};

export const getQuotaRoot: Command = {
  name: "GETQUOTAROOT",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    return async () => {
      const { account, name: found } = await place(s, name, "r");
      const root = s.mailboxText(rootOf(s, account));
      s.untagged(`QUOTAROOT ${s.mailboxText(found)} ${root}`);
      quotaLine(s, account);
    };
  },
};
