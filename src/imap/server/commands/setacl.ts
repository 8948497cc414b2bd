/**
 * SETACL (RFC 4314 §3.1).
 *
 * @module
 */
import { changeNotedRights } from "../../../store/mailboxes/noted_rights.ts";
import { allRights, formatRights, parseRights } from "../../../store/mailboxes/rights.ts";
import { rightsNote, whoIs } from "../mailboxes/acl_identifiers.ts";
import { ImapBad, ImapNo } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { place } from "../mailboxes/places.ts";

export const setAcl: Command = {
  name: "SETACL",
  states: loggedIn,
  capabilities: ["ACL", "RIGHTS=texk"],
  parse(cursor, session) {
    cursor.sp();
    const name = cursor.mailbox();
    cursor.sp();
    const identifier = cursor.astring("identifier");
    cursor.sp();
    const given = cursor.astring("rights");
    const op = /^[+-]/.test(given) ? given[0] : "=";
    const rights = parseRights(op === "=" ? given : given.slice(1));
    return async () => {
      if (rights === undefined) {
        throw new ImapBad(`rights are letters of ${formatRights(allRights)}`);
      }
      const { account, mailbox } = await place(session, name, "a");
      const { user, negative } = whoIs(session, identifier);
      if (user === account.name) throw new ImapNo("the owner keeps all rights", "CANNOT");
      const key = (negative ? "-" : "") + user;
      if (!negative) await session.backend.sharing!.granting(account.name, user);
      await changeNotedRights(account, mailbox, key, (before) => {
        if (op === "+") return before + rights;
        if (op === "-") return [...before].filter((r) => !rights.includes(r)).join("");
        return rights;
      }, rightsNote(session));
      session.log.info("rights changed", { mailbox: mailbox.name, identifier: key, rights: given });
    };
  },
};
