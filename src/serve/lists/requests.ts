/** Mail to the other addresses of a list: commands, confirmations, reports. @module */
import { type ListAddress, listAddress } from "../../config/mod.ts";
import { noReplyReason } from "../../delivery/vacation.ts";
import { readCommand } from "../../lists/commands.ts";
import { helpText } from "../../lists/notices.ts";
import { fieldsNamed, strictAuthors } from "../../mail/address/author.ts";
import { decodeText } from "../../mail/structure/contents.ts";
import { leaves } from "../../mail/structure/structure.ts";
import { SmtpError } from "../../smtp/server/mod.ts";
import { organizationalDomain } from "../../store/messages/describe.ts";
import type { Incoming } from "../arrival/incoming.ts";
import { bounceIn, noteBounce } from "./bounces.ts";
import { decide } from "./held.ts";
import { admit, ask, confirmRequest, leave, ListRefusal } from "./membership.ts";
import { type ListServices, mayWriteTo, pagesUrl, sendNotice, tokenIn } from "./services.ts";

/** Bytes that are read of a report, and of a text with a command. */
const maxReport = 1024 * 1024;
const maxCommandText = 16 * 1024;

/** Refuses at RCPT what would be refused anyway. @throws SmtpError */
export function checkListRecipient(
  services: ListServices,
  { list, role, token }: ListAddress,
): void {
  const noAddress = () => new SmtpError(550, "1.1", "no such address here");
  switch (role) {
    case "bounces":
    case "confirm":
      if (tokenIn(services, list, token) === undefined) throw noAddress();
      return;
    case "unsubscribe":
      if (token !== "" && tokenIn(services, list, token)?.purpose !== "leave") throw noAddress();
      return;
    default:
      return;
  }
}

/** The verified author of a command, who gets the reply. */
function authorOf(incoming: Incoming): string {
  const from = fieldsNamed(incoming.arrived.description.fields, "from");
  const authors = from.length === 1 ? strictAuthors(from[0].value) : { problem: "several" };
  if ("problem" in authors || authors.addresses.length !== 1) {
    throw new SmtpError(550, "6.0", "message needs one author in From");
  }
  const [{ localpart, domain }] = authors.addresses;
  return `${localpart}@${domain}`;
}

/** Why a message can't be a person's command. */
function whyNone(incoming: Incoming, at: ListAddress, verified: boolean): string | undefined {
  const { fields, summary } = incoming.arrived.description;
  const { mailFrom } = incoming.transaction;
  const own = new RegExp(
    `^${at.list.localpart.replace(/[.]/g, "\\.")}(?:-[a-z]+(?:\\+.*)?)?@`,
    "i",
  );
  return noReplyReason({
    mailFrom: mailFrom && { localpart: mailFrom.localpart, domain: mailFrom.domain ?? "" },
    verified,
    fields,
    summary,
    isOwn: (address) => own.test(address),
  });
}

/**
 * Carries out what a message to one of the list's other addresses asks for; durable when it resolves.
 * @throws SmtpError if it is refused
 */
export async function takeListMail(
  services: ListServices,
  at: ListAddress,
  incoming: Incoming,
): Promise<void> {
  const { list, role, token } = at;
  const { log } = incoming.session;
  const { arrived, transaction } = incoming;
  const given = token === "" ? undefined : tokenIn(services, list, token);
  if (role === "bounces") {
    if (given?.purpose !== "bounce" && given?.purpose !== "probe") {
      throw new SmtpError(550, "1.1", "no such address here");
    }
    const text = bounceIn(
      arrived.read(0, Math.min(arrived.size, maxReport)),
      arrived.description.fields,
      transaction.mailFrom === undefined,
    );
    if (text === undefined) return log.debug("list: mail to a bounce address is no failure");
    const { purpose, id } = given;
    return await noteBounce(services, list, { purpose, id }, text);
  }
  try {
    if (role === "unsubscribe" && given?.purpose === "leave") {
      const member = services.db.members.byId(list.key, given.id);
      if (member) await leave(services, list, member.address);
      return;
    }
    if (role === "confirm") {
      if (given === undefined) throw new SmtpError(550, "1.1", "no such address here");
      // An automatic reply confirms nothing.
      const none = whyNone(incoming, at, true);
      if (none !== undefined) return log.info("list: no confirmation", { list: list.key, none });
      return await carryOut(services, at, given);
    }
    await command(services, at, incoming);
  } catch (err) {
    if (err instanceof ListRefusal) throw new SmtpError(550, "7.1", err.message);
    throw err;
  }
}

/** Carries out what a token permits, when it arrives by mail. @throws ListRefusal */
async function carryOut(
  services: ListServices,
  { list }: ListAddress,
  { purpose, id }: NonNullable<ReturnType<typeof tokenIn>>,
): Promise<void> {
  switch (purpose) {
    case "confirm": {
      const kind = services.db.requests.get(list.key, id, services.now())?.kind;
      // Reading the archive needs a browser.
      if (kind === "read") throw new ListRefusal("open the page in the message");
      await confirmRequest(services, list, id);
      return;
    }
    case "approve":
    case "reject":
    case "discard":
      return await decide(services, list, id, purpose);
    case "admit":
      return await admit(services, list, id, true);
    default:
      throw new ListRefusal("this token is for something else");
  }
}

async function command(services: ListServices, at: ListAddress, incoming: Incoming): Promise<void> {
  const { list, role } = at;
  const address = authorOf(incoming);
  const { summary } = incoming.arrived.description;
  const facts = incoming.sender.factsFor(incoming.transaction.recipients[0].address);
  const organization = organizationalDomain(address.slice(address.lastIndexOf("@") + 1));
  const verified = incoming.sender.auth === undefined || facts.msgFromValidated ||
    facts.mailFromValidation === "pass" &&
      organizationalDomain(incoming.transaction.mailFrom?.domain ?? "") === organization;
  const none = whyNone(incoming, at, verified);
  if (none === "sender is not verified") {
    throw new SmtpError(550, "7.1", "commands for a list need a sender that can be verified");
  }
  if (none !== undefined) {
    incoming.session.log.info("list: message is no command", { list: list.key, none });
    return;
  }
  const name = summary.from[0]?.name ?? "";
  const wanted = role === "subscribe" || role === "unsubscribe"
    ? { kind: role, name }
    : readCommand(summary.subject, textOf(incoming));
  switch (wanted?.kind) {
    case "subscribe":
      return await ask(services, list, "subscribe", address, wanted.name || name);
    case "unsubscribe":
      return await ask(services, list, "unsubscribe", address);
    case "confirm": {
      const given = tokenIn(services, list, wanted.token);
      if (given === undefined) throw new ListRefusal("the token is none of this list");
      return await carryOut(services, at, given);
    }
    default:
      if (mayWriteTo(services, list, address)) {
        await sendNotice(services, list, helpText(list, address, pagesUrl(services.config)));
      }
      await services.db.durable();
  }
}

/** The first text of a message. */
function textOf(incoming: Incoming): string {
  for (const p of leaves(incoming.arrived.root)) {
    if (p.type !== "text" || p.subtype !== "plain") continue;
    return decodeText(
      p,
      incoming.arrived.read(p.bodyOffset, Math.min(p.endOffset, p.bodyOffset + maxCommandText)),
    );
  }
  return "";
}

/** Shown to owners: where their mail goes. */
export const ownerAddress = (at: ListAddress): string => listAddress(at.list, "owner");
