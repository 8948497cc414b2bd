/** A message to a mailing list: whether it is accepted, and the form in which members get it. @module */
import type { ResolvedList } from "../../config/mod.ts";
import { flattenAddresses, parseAddressList } from "../../mail/address/address.ts";
import { fieldsNamed, oddHeaderLine, strictAuthors } from "../../mail/address/author.ts";
import { maxFields } from "../../mail/header/header.ts";
import { readCommand } from "../../lists/commands.ts";
import { cameFromList, listHeader, type PostAuthor } from "../../lists/header.ts";
import { counter } from "../../metrics/mod.ts";
import { removeFile, writeTempFile } from "../../platform/files.ts";
import { bodyStart } from "../../senderauth/header_fields.ts";
import { addressText, type IncomingMessage, SmtpError } from "../../smtp/server/mod.ts";
import type { Incoming } from "../arrival/incoming.ts";
import { maxHeader, vouches } from "../onward/vouch.ts";
import { forwardingSignatures } from "../sending/signing.ts";
import { tellOfHeld } from "./held.ts";
import { isOwner, type ListServices, pagesUrl } from "./services.ts";

const posts = counter("mox_list_post_total", "Messages to mailing lists, by result.", {
  result: ["sent", "held", "refused", "again"],
});

/** Messages of an author to a list in an hour. */
const maxPerHour = 60;
/** Held messages of a list. */
const maxHeld = 500;
const hour = 3_600_000;
/** Milliseconds within which a message of the same author and Message-ID counts as sent again. */
const sameTime = 5 * 24 * hour;

function refused(code: number, status: string, text: string): SmtpError {
  posts.inc({ result: "refused" });
  return new SmtpError(code, status, text);
}

/** Fields of automatic replies: the standard's (RFC 3834 §5), and those of older and other programs. */
function isAutomaticAnswer(name: string, value: string): boolean {
  const v = value.trim().toLowerCase();
  switch (name) {
    case "auto-submitted":
      return /^auto-(?:replied|notified)\b/.test(v);
    case "precedence":
      return /^auto[_-]?reply\b/.test(v);
    case "x-autoreply":
    case "x-auto-reply":
    case "x-autorespond":
    case "x-auto-respond":
    case "x-autoreply-from":
    case "x-mail-autoreply":
      return v !== "no";
    default:
      return false;
  }
}

/** The only author of a message. @throws SmtpError if programs could see different ones */
function authorOf(incoming: Incoming): PostAuthor & { address: string } {
  const { header, description: { fields } } = incoming.arrived;
  const from = fieldsNamed(fields, "from");
  const odd = oddHeaderLine(header);
  if (header.length >= maxHeader || fields.length >= maxFields || odd !== undefined) {
    throw refused(550, "6.0", "the header can be read in several ways, or is too large");
  }
  if (from.length !== 1) throw refused(550, "6.0", "message needs one From header field");
  const authors = strictAuthors(from[0].value);
  if ("problem" in authors || authors.addresses.length !== 1) {
    throw refused(550, "6.0", "message needs one author in From");
  }
  const [{ localpart, domain }] = authors.addresses;
  const name = flattenAddresses(parseAddressList(from[0].value))[0]?.name ?? "";
  return { name, localpart, domain, address: `${localpart}@${domain}`.toLowerCase() };
}

/** Why a message is held; undefined if it isn't. @throws SmtpError if the list refuses it */
function whyHeld(
  services: ListServices,
  list: ResolvedList,
  incoming: Incoming,
  author: string,
  suspicious: boolean,
): string | undefined {
  const { Posting, Others, Moderated } = list.config;
  const facts = incoming.sender.factsFor(incoming.transaction.recipients[0].address);
  const verified = incoming.sender.auth === undefined || facts.msgFromValidated;
  const owner = verified && isOwner(list, author);
  if (owner) return undefined;
  const member = verified && services.db.members.get(list.key, author) !== undefined;
  if (Posting === "anyone" || Posting === "members" && member) {
    if (suspicious) return "it looks like junk";
    if (Moderated) return "the list is moderated";
    const { subject } = incoming.arrived.description.summary;
    const command = incoming.arrived.size < 5000 && readCommand(subject, "");
    // A command meant for the -request address must not reach all members.
    return command && command.kind !== "help" ? "it looks like a command for the list" : undefined;
  }
  const why = !verified
    ? "its From address could not be verified"
    : Posting === "owners"
    ? "only owners may write to the list"
    : "its author is not a member";
  if (Others === "refuse" || suspicious) {
    throw refused(550, "7.1", `not taken for the list: ${why}`);
  }
  return why;
}

/**
 * Accepts a message for a list; it is durable when this resolves.
 * @param suspicious the analysis would have put it into a Junk or Rejects mailbox
 * @throws SmtpError if it is refused; file and database errors
 */
export async function takePost(
  services: ListServices,
  list: ResolvedList,
  incoming: Incoming,
  message: IncomingMessage,
  suspicious: boolean,
): Promise<void> {
  const { arrived, transaction, sender, session: { log } } = incoming;
  const { fields, summary } = arrived.description;
  // RFC 3463 §3.5: routing loop detected.
  if (cameFromList(list, fields)) throw refused(554, "4.6", "message came from this list before");
  if (transaction.mailFrom === undefined) {
    throw refused(550, "7.1", "reports are not for the members of a list");
  }
  if (fields.some((f) => isAutomaticAnswer(f.name, f.value))) {
    throw refused(550, "7.1", "automatic answers are not for the members of a list");
  }
  const { MaxMessageSize, From, SubjectPrefix } = list.config;
  if (MaxMessageSize > 0 && arrived.size > MaxMessageSize) {
    throw refused(552, "3.4", `the list takes ${MaxMessageSize} bytes at most`);
  }
  const author = authorOf(incoming);
  const reason = whyHeld(services, list, incoming, author.address, suspicious);
  const now = services.now();
  const messageId = summary.messageId || `${crypto.randomUUID()}@${list.domain.ascii}`;
  if (
    summary.messageId !== "" &&
    services.db.posts.has(list.key, messageId, author.address, now - sameTime)
  ) {
    // Its sender missed our first answer.
    posts.inc({ result: "again" });
    log.info("list: message was taken before", { list: list.key, messageId });
    await services.db.durable();
    return;
  }
  if (services.db.posts.countOf(list.key, author.address, now - hour) >= maxPerHour) {
    throw refused(451, "7.1", `more than ${maxPerHour} messages of an author within an hour`);
  }
  if (reason !== undefined && services.db.posts.heldCount(list.key) >= maxHeld) {
    throw refused(450, "7.1", "too many messages wait for the owners of the list");
  }
  const dmarc = sender.auth?.dmarc;
  const strict = dmarc?.policy === "reject" || dmarc?.policy === "quarantine";
  const replaceFrom = From === "always" ||
    From === "dmarc" && (strict || SubjectPrefix !== "" && dmarc?.record !== undefined);
  const header = listHeader(arrived.read(0, bodyStart(arrived.read(0, maxHeader))), {
    list,
    author,
    replaceFrom,
    pages: pagesUrl(services.config),
    smtputf8: message.headerHas8bit,
  });
  const via =
    incoming.transaction.recipients.find((r) =>
      addressText(r.address).toLowerCase().startsWith(`${list.localpart}@`)
    )?.address ?? transaction.recipients[0].address;
  const trace = `Delivered-To: <${list.key}>\r\n${message.receivedHeader(via)}` +
    (summary.messageId === "" ? `Message-ID: <${messageId}>\r\n` : "");
  const file = await rewritten(services.tempDir, trace, header, incoming);
  try {
    const arc = await forwardingSignatures(
      services.config,
      list.domain.ascii,
      { file: file.path, fileSize: file.size, prefix: new Uint8Array(0) },
      { chain: sender.auth?.arc, results: sender.results, vouched: false },
    );
    const post = await services.db.posts.add({
      list: list.key,
      messageId,
      inReplyTo: summary.references.at(-1) ?? "",
      author: author.address,
      authorName: author.name.slice(0, 200),
      subject: summary.subject.slice(0, 500),
      received: now,
      size: file.size,
      vouched: replaceFrom || vouches(list.domain.ascii, arrived.header, sender.auth),
      smtputf8: message.headerHas8bit,
      has8bit: message.has8bit,
      binary: transaction.body === "binarymime",
      requireTls: transaction.requireTls,
      arc,
      state: reason === undefined ? "sending" : "held",
      reason: reason ?? "",
    }, file.path);
    posts.inc({ result: reason === undefined ? "sent" : "held" });
    log.info("list: message taken", {
      list: list.key,
      id: post.id,
      author: author.address,
      held: reason ?? "",
    });
    if (reason !== undefined) {
      try {
        await tellOfHeld(services, list, post);
      } catch (err) {
        // It is held, and shown on the list's page.
        log.error("list: telling owners of a held message", { err: err as Error, list: list.key });
      }
    }
  } finally {
    removeFile(file.path);
  }
}

/** The message as members get it, in its own file; on disk when it resolves. */
async function rewritten(
  tempDir: string,
  trace: string,
  header: Uint8Array,
  incoming: Incoming,
): Promise<{ path: string; size: number }> {
  const { arrived } = incoming;
  const pieces = function* () {
    yield new TextEncoder().encode(trace);
    yield header;
    for (let at = bodyStart(arrived.read(0, maxHeader)); at < arrived.size;) {
      const piece = arrived.read(at, Math.min(arrived.size, at + 64 * 1024));
      if (piece.length === 0) break;
      yield piece;
      at += piece.length;
    }
  };
  // The prefix of all messages in transit: after a crash, the next start removes them.
  return await writeTempFile(tempDir, "smtp-list-", pieces());
}
