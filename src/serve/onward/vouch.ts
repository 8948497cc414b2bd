/**
 * Whether a message that only passes through may get a DKIM signature of ours. A signature in the name of From says
 * that the message is from there; who can have us pass on a message must not be able to have us say that.
 *
 * @module
 */
import { mentionedDomains } from "../../mail/address/author.ts";
import { maxFields, splitHeader } from "../../mail/header/header.ts";
import { bodyStart } from "../../senderauth/header_fields.ts";
import type { SenderAuth } from "../../senderauth/mod.ts";
import { organizationalDomain } from "../../store/messages/describe.ts";

/** Bytes of a header that callers pass at most. */
export const maxHeader = 256 * 1024;

/** Domains of a From field that are looked at; with more nothing is signed. */
const maxDomains = 50;

/**
 * True if nobody can take a signature of the domain for one of the author: the message was shown to be the author's
 * (DMARC), or names no address of the domain or one that belongs with it. Otherwise the ARC seal alone says what was
 * found when the message came in.
 * @param header of the message as it came in
 */
export function vouches(
  domain: string,
  header: Uint8Array,
  auth: Pick<SenderAuth, "dmarc"> | undefined,
): boolean {
  if (auth?.dmarc.result === "pass") return true;
  // Of a longer one the rest could have another From.
  if (header.length >= maxHeader && bodyStart(header) === header.length) return false;
  const own = organizationalDomain(domain.toLowerCase());
  let count = 0;
  const fields = splitHeader(header);
  // Behind them there may be another From.
  if (fields.length >= maxFields) return false;
  for (const { name, value } of fields) {
    if (name !== "from") continue;
    for (const d of mentionedDomains(value, maxDomains)) {
      if (++count >= maxDomains || organizationalDomain(asciiOf(d)) === own) return false;
    }
  }
  // Without a From that says something, or with one that some programs find where others don't.
  return count > 0 && !/^[ \t]/.test(new TextDecoder("latin1").decode(header.subarray(0, 1)));
}

function asciiOf(domain: string): string {
  return URL.parse(`http://${domain}`)?.hostname ?? domain;
}
