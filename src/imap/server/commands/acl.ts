/**
 * SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314 §3).
 *
 * The owner of a mailbox keeps all rights, so nobody can be locked out of their own mail.
 *
 * @module
 */
import {
  allRights,
  anyone,
  changeRights,
  formatRights,
  grantedRights,
  parseRights,
} from "../../../store/rights.ts";
import { formatAstring } from "../../format/text.ts";
import { ImapBad, ImapNo } from "../answer.ts";
import { type Command, loggedIn } from "../command.ts";
import { place } from "../places.ts";
import type { Session } from "../session.ts";

/** What can't be had one without another: all are single (RFC 4314 §3.7). */
const single = [...formatRights(allRights)].join(" ");

/** Whom an identifier stands for, and whether rights are taken away. @throws ImapNo if there is nobody of that name */
function whoIs(s: Session, identifier: string): { user: string; negative: boolean } {
  const negative = identifier.startsWith("-");
  const name = negative ? identifier.slice(1) : identifier;
  const user = name === anyone ? anyone : s.backend.sharing?.accountNamed(name);
  if (user === undefined) throw new ImapNo(`there is no account ${name} here`, "CANNOT");
  return { user, negative };
}

export const setAcl: Command = {
  name: "SETACL",
  states: loggedIn,
  capabilities: ["ACL", "RIGHTS=texk"],
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    c.sp();
    const identifier = c.astring("identifier");
    c.sp();
    const given = c.astring("rights");
    const op = /^[+-]/.test(given) ? given[0] : "=";
    const rights = parseRights(op === "=" ? given : given.slice(1));
    return async () => {
      if (rights === undefined) {
        throw new ImapBad(`rights are letters of ${formatRights(allRights)}`);
      }
      const { account, mailbox } = await place(s, name, "a");
      const { user, negative } = whoIs(s, identifier);
      if (user === account.name) throw new ImapNo("the owner keeps all rights", "CANNOT");
      const key = (negative ? "-" : "") + user;
      if (!negative) await s.backend.sharing!.granting(account.name, user);
      await changeRights(account, mailbox.id, key, (before) => {
        if (op === "+") return before + rights;
        if (op === "-") return [...before].filter((r) => !rights.includes(r)).join("");
        return rights;
      });
      s.log.info("rights changed", { mailbox: mailbox.name, identifier: key, rights: given });
    };
  },
};

export const deleteAcl: Command = {
  name: "DELETEACL",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    c.sp();
    const identifier = c.astring("identifier");
    return async () => {
      const { account, mailbox } = await place(s, name, "a");
      // As it was given: an account that is gone must be removable.
      const known = grantedRights(account.db, mailbox.id).map((g) => g.identifier);
      let key = identifier;
      if (!known.includes(key)) {
        const { user, negative } = whoIs(s, identifier);
        if (user === account.name) throw new ImapNo("the owner keeps all rights", "CANNOT");
        key = (negative ? "-" : "") + user;
      }
      await changeRights(account, mailbox.id, key, () => "");
      s.log.info("rights removed", { mailbox: mailbox.name, identifier: key });
    };
  },
};

export const getAcl: Command = {
  name: "GETACL",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    return async () => {
      const { account, mailbox, name: found } = await place(s, name, "a");
      const list = [
        { identifier: account.name, rights: allRights },
        ...grantedRights(account.db, mailbox.id),
      ];
      const text = list.map((g) =>
        ` ${formatAstring(g.identifier, s.utf8)} ${formatRights(g.rights)}`
      );
      s.untagged(`ACL ${s.mailboxText(found)}${text.join("")}`);
    };
  },
};

export const listRights: Command = {
  name: "LISTRIGHTS",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    c.sp();
    const identifier = c.astring("identifier");
    return async () => {
      const { account, name: found } = await place(s, name, "a");
      const { user } = whoIs(s, identifier);
      const rights = user === account.name ? formatRights(allRights) : `"" ${single}`;
      s.untagged(
        `LISTRIGHTS ${s.mailboxText(found)} ${formatAstring(identifier, s.utf8)} ${rights}`,
      );
    };
  },
};

export const myRights: Command = {
  name: "MYRIGHTS",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    return async () => {
      // RFC 4314 §4.
      const { name: found, rights } = await place(s, name, "lrikxa");
      s.untagged(`MYRIGHTS ${s.mailboxText(found)} ${formatRights(rights)}`);
    };
  },
};
