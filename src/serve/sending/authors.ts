/** Allowed authors of submitted messages: addresses of the account, in a form that all programs read alike. @module */
import type { Config } from "../../config/mod.ts";
import {
  type AuthorAddress,
  fieldsNamed,
  oddHeaderLine,
  strictAuthors,
} from "../../mail/address/author.ts";
import { type HeaderField, maxFields } from "../../mail/header/header.ts";
import { limits } from "../../mail/structure/structure.ts";
import { SmtpError } from "../../smtp/server/mod.ts";

/** Checks that an address belongs to an account. @throws SmtpError */
export function checkOwnAddress(
  config: Config,
  account: string,
  localpart: string,
  domain: string,
): void {
  switch (config.mayUseFrom(account, localpart, domain)) {
    case "yes":
      return;
    case "disabledDomain":
      throw new SmtpError(550, "7.1", "the sender's domain is disabled");
    default:
      // Localserve accepts any sender.
      if (config.acceptAllAccount === account) return;
      throw new SmtpError(550, "7.1", `${localpart}@${domain} is not an address of your account`);
  }
}

/** Checks that an account may send from an address, possibly another account's. @throws SmtpError */
export function checkSendAs(
  config: Config,
  account: string,
  localpart: string,
  domain: string,
): void {
  const may = config.maySendAs(account, localpart, domain);
  if (may !== "yes" && may !== "behalf") checkOwnAddress(config, account, localpart, domain);
}

function only(fields: readonly HeaderField[], name: "From" | "Sender"): AuthorAddress[] {
  const [field, ...more] = fieldsNamed(fields, name.toLowerCase());
  if (field === undefined) return [];
  if (more.length > 0) {
    throw new SmtpError(550, "6.0", `message has ${more.length + 1} ${name} header fields`);
  }
  const authors = strictAuthors(field.value);
  if ("problem" in authors) {
    throw new SmtpError(
      550,
      "6.0",
      `the ${name} header field can be read in several ways: ${authors.problem}`,
    );
  }
  return authors.addresses;
}

/**
 * Checks From and Sender of a submitted message.
 * @param header as received, with its empty line
 * @returns the addresses of From
 * @throws SmtpError with the reason
 */
export function checkAuthors(
  config: Config,
  account: string,
  header: Uint8Array,
  fields: readonly HeaderField[],
): AuthorAddress[] {
  // If it isn't read completely, there could be another author in the rest.
  if (fields.length >= maxFields || header.length >= limits.header) {
    throw new SmtpError(552, "3.4", "the header is too large for its author to be known");
  }
  const odd = oddHeaderLine(header);
  if (odd !== undefined) {
    throw new SmtpError(550, "6.0", `the header can be read in several ways: ${odd}`);
  }
  const from = only(fields, "From");
  // RFC 6409 §6.1: a submission without a From is not a message.
  if (from.length === 0) {
    throw new SmtpError(550, "6.0", "message needs one From header field with an address");
  }
  for (const a of from) checkSendAs(config, account, a.localpart, a.domain);
  // RFC 5322 §3.6.2: one address.
  const sender = only(fields, "Sender");
  if (sender.length > 1) {
    throw new SmtpError(550, "6.0", "the Sender header field has more than one address");
  }
  for (const a of sender) checkOwnAddress(config, account, a.localpart, a.domain);
  return from;
}
