/** What was found out about a message's sender when it came in. @module */
import type { Authentication } from "../../../../webmail/api/mod.ts";
import { headerField, splitHeader } from "../../../mail/header/header.ts";
import type { Account } from "../../../store/account/account.ts";
import { deliveryOf } from "../../../store/messages/listing.ts";
import type { MessageContent } from "./content.ts";

/** Results of Authentication-Results (RFC 8601 §2.2): the best one of each method. */
function methodResults(value: string): Map<string, string> {
  const found = new Map<string, string>();
  // Comments and quoted strings may have semicolons: they go first.
  let plain = "";
  let depth = 0;
  let quoted = false;
  for (const c of value.slice(0, 20_000)) {
    if (quoted) quoted = c !== '"';
    else if (c === '"') quoted = true;
    else if (c === "(") depth++;
    else if (c === ")" && depth > 0) depth--;
    else if (depth === 0) plain += c;
  }
  for (const part of plain.split(";").slice(1, 100)) {
    const m = /^\s*([a-z0-9-]{1,20})(?:\/\d+)?\s*=\s*([a-z]{1,20})/i.exec(part);
    if (m === null) continue;
    const [method, result] = [m[1].toLowerCase(), m[2].toLowerCase()];
    if (!found.has(method) || result === "pass") found.set(method, result);
  }
  return found;
}

/**
 * From the field that this server itself put before the message, and what is kept of the delivery;
 * fields within the message could be anyone's. Null for messages that did not come in over SMTP.
 */
export function authenticationOf(account: Account, content: MessageContent): Authentication | null {
  const value = headerField(splitHeader(content.prefix), "authentication-results");
  const delivery = deliveryOf(account.db, content.message.id);
  if (value === undefined && delivery === undefined) return null;
  const results = methodResults(value ?? "");
  return {
    spf: results.get("spf") ?? "none",
    dkim: results.get("dkim") ?? "none",
    dmarc: results.get("dmarc") ?? "none",
    dkimDomains: delivery?.dkimDomains ?? [],
    fromVerified: delivery?.fromValidated ?? results.get("dmarc") === "pass",
    tls: delivery?.tlsVersion ?? "",
  };
}
