/**
 * GETQUOTA (RFC 9208 §4.1.1). The account's limit is set by its admin, so there is no SETQUOTA.
 *
 * @module
 */
import { ImapNo } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { sharedPlaces } from "../mailboxes/places.ts";
import { splitShared } from "../names/names.ts";
import { quotaLine } from "../mailboxes/quota_roots.ts";

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
