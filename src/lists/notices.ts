/** Messages written by a list itself: confirmations, help, notices to owners, refusals. @module */
import { composeText, foldField, joinMessage, textField } from "../mail/compose.ts";
import { formatDate } from "../mail/header/date.ts";
import { listAddress, type ResolvedList } from "../config/mod.ts";
import { listId, listName } from "./header.ts";

/** A message of a list. */
export interface Notice {
  /** The address in From, which gets replies. */
  from: string;
  to: string;
  subject: string;
  text: string;
}

/** The whole message; automatic responders ignore it (RFC 3834 §5). */
export function composeNotice(
  list: ResolvedList,
  notice: Notice,
  messageId: string,
  now: Date,
  inReplyTo = "",
): Uint8Array {
  const body = composeText(notice.text);
  return joinMessage([
    foldField("From", `<${notice.from}>`),
    foldField("To", `<${notice.to}>`),
    textField("Subject", notice.subject, { smtputf8: false }),
    foldField("Date", formatDate(now)),
    foldField("Message-ID", `<${messageId}>`),
    ...(inReplyTo === "" ? [] : [foldField("In-Reply-To", `<${inReplyTo}>`)]),
    foldField("List-Id", `<${listId(list)}>`),
    foldField("List-Help", `<mailto:${listAddress(list, "request")}?subject=help>`),
    "Auto-Submitted: auto-generated\r\n",
    "X-Auto-Response-Suppress: All\r\n",
    "Precedence: bulk\r\n",
    "MIME-Version: 1.0\r\n",
    ...body.fields,
  ], body.body);
}

const closing = (list: ResolvedList) =>
  `\n-- \n${listName(list)}, ${listAddress(list, "post")}\n` +
  `Questions: ${listAddress(list, "owner")}\n`;

/** To somebody who wants to subscribe, to leave, or to read the archive (or a stranger in their name). */
export function confirmation(
  list: ResolvedList,
  kind: "subscribe" | "unsubscribe" | "read",
  to: string,
  token: string,
  page: string | undefined,
): Notice {
  const what = {
    subscribe: `subscribe to the mailing list ${listName(list)}`,
    unsubscribe: `leave the mailing list ${listName(list)}`,
    read: `read the pages of the mailing list ${listName(list)}`,
  }[kind];
  const byPage = page === undefined
    ? ""
    : `open this page and press its button:\n\n    ${page}\n\n`;
  const byMail = kind === "read"
    ? ""
    : `${page === undefined ? "" : "Or "}answer this message as it is.\n\n`;
  return {
    from: listAddress(list, kind === "read" ? "owner" : "confirm", kind === "read" ? "" : token),
    to,
    subject: {
      subscribe: `Confirm: subscribe to ${listName(list)}`,
      unsubscribe: `Confirm: leave ${listName(list)}`,
      read: `Pages of ${listName(list)}`,
    }[kind],
    text: `Somebody, probably you, wants to ${what} with the address ${to}.\n\n` +
      `If that is right, ${byPage}${byMail}` +
      "If it isn't, do nothing: nothing happens then.\n" + closing(list),
  };
}

/** To a new member. */
export function welcome(list: ResolvedList, to: string): Notice {
  return {
    from: listAddress(list, "owner"),
    to,
    subject: `Welcome to ${listName(list)}`,
    text: `The address ${to} is a member of the mailing list ${listName(list)} from now on.\n\n` +
      (list.config.Posting === "owners"
        ? ""
        : `Write to everybody: ${listAddress(list, "post")}\n`) +
      `Leave the list:    ${listAddress(list, "unsubscribe")}\n` +
      `Help:              ${listAddress(list, "request")}\n` + closing(list),
  };
}

/** To somebody who has left. */
export function goodbye(list: ResolvedList, to: string): Notice {
  return {
    from: listAddress(list, "owner"),
    to,
    subject: `You have left ${listName(list)}`,
    text: `The address ${to} is no member of the mailing list ${listName(list)} any more.\n` +
      closing(list),
  };
}

export function helpText(list: ResolvedList, to: string, pages: string | undefined): Notice {
  return {
    from: listAddress(list, "request"),
    to,
    subject: `Help for ${listName(list)}`,
    text: `This is the program of the mailing list ${listName(list)}.\n` +
      (list.config.Description === "" ? "" : `${list.config.Description}\n`) +
      `\nWrite to ${listAddress(list, "request")} with one of these words as the subject:\n\n` +
      "    subscribe      become a member\n" +
      "    unsubscribe    leave\n" +
      "    help           this text\n\n" +
      "For the first two a message comes that has to be answered.\n" +
      (pages === undefined ? "" : `\nPages of the list: ${pages}${list.key}\n`) + closing(list),
  };
}

/** To an address that is already a member, or isn't one: only the address itself learns it. */
export function already(list: ResolvedList, to: string, member: boolean): Notice {
  return {
    from: listAddress(list, "owner"),
    to,
    subject: `Your request to ${listName(list)}`,
    text:
      `Somebody, probably you, wanted ${to} to ${
        member ? "subscribe to" : "leave"
      } the mailing list ` +
      `${listName(list)}. The address ${
        member ? "is a member already" : "is no member"
      }, so nothing has changed.\n` +
      closing(list),
  };
}

/** To an owner: a message is held. */
export function heldNotice(
  list: ResolvedList,
  to: string,
  p: { author: string; subject: string; size: number; reason: string },
  tokens: { approve: string; reject: string; discard: string },
  pages: string | undefined,
): Notice {
  const at = (token: string) => listAddress(list, "confirm", token);
  return {
    from: listAddress(list, "owner"),
    to,
    subject: `Held for ${listName(list)}: ${p.subject}`.slice(0, 300),
    text: `A message to ${listAddress(list, "post")} waits for an owner to decide.\n\n` +
      `From:    ${p.author}\nSubject: ${p.subject}\nSize:    ${p.size} bytes\nWhy:     ${p.reason}\n\n` +
      (pages === undefined ? "" : `Read it and decide: ${pages}${list.key}/held\n\n`) +
      "By mail, with an empty message to one of these addresses:\n\n" +
      `    send it to the members:        ${at(tokens.approve)}\n` +
      `    tell the author that it isn't: ${at(tokens.reject)}\n` +
      `    delete it, and tell nobody:    ${at(tokens.discard)}\n` + closing(list),
  };
}

/** To an owner: somebody wants to become a member. */
export function admitNotice(
  list: ResolvedList,
  to: string,
  r: { address: string; name: string },
  token: string,
  pages: string | undefined,
): Notice {
  return {
    from: listAddress(list, "owner"),
    to,
    subject: `${r.address} wants to subscribe to ${listName(list)}`,
    text:
      `${
        r.name === "" ? "" : `${r.name}, `
      }${r.address} wants to become a member, and has confirmed the address.\n\n` +
      (pages === undefined ? "" : `Decide at ${pages}${list.key}/held\n\n`) +
      `To accept, send an empty message to\n\n    ${listAddress(list, "confirm", token)}\n` +
      closing(list),
  };
}

/** To the author of a message rejected by an owner. */
export function rejected(list: ResolvedList, to: string, subject: string): Notice {
  return {
    from: listAddress(list, "owner"),
    to,
    subject: `Not sent: ${subject}`.slice(0, 300),
    text:
      `Your message "${subject}" to ${
        listAddress(list, "post")
      } was not sent to the members: an owner of the list ` +
      "decided so.\n" + closing(list),
  };
}

/** Probe to a member whose messages bounced: if it bounces too, the member gets no more mail. */
export function probe(list: ResolvedList, to: string, why: string): Notice {
  return {
    from: listAddress(list, "owner"),
    to,
    subject: `Does your address work? (${listName(list)})`,
    text:
      `Messages of the mailing list ${
        listName(list)
      } to ${to} came back on several days. The last time it said:\n\n` +
      `    ${why}\n\nThis message tries whether the address works. If it reaches you, you need not do anything. If it ` +
      "comes back too, the list sends nothing to the address any more.\n" + closing(list),
  };
}

/** To the owners: sending to an address was stopped. */
export function givenUp(list: ResolvedList, to: string, member: string, why: string): Notice {
  return {
    from: listAddress(list, "owner"),
    to,
    subject: `${listName(list)} sends nothing to ${member} any more`,
    text:
      `Messages to the member ${member} came back on several days, and so did one that tried the address:\n\n` +
      `    ${why}\n\nIt stays a member, and gets nothing until it subscribes again or an owner resumes it.\n` +
      closing(list),
  };
}
