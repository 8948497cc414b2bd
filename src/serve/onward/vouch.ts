/**
 * Whether a message that only passes through may get our DKIM signature. A signature of From's domain claims
 * that the message is from there; those who can make us pass on a message must not be able to make us claim that.
 *
 * @module
 */
import { mentionedDomains } from "../../mail/address/author.ts";
import { maxFields, splitHeader } from "../../mail/header/header.ts";
import { bodyStart } from "../../senderauth/header_fields.ts";
import type { SenderAuth } from "../../senderauth/mod.ts";
import { organizationalDomain } from "../../store/messages/describe.ts";

/** Bytes of a header that callers pass in. */
export const maxHeader = 256 * 1024;

/** Domains of a From field that are checked; if there are more, nothing is signed. */
const maxDomains = 50;

/**
 * True if a signature of the domain can't be mistaken for the author's: either the author is verified
 * (DMARC), or From has no address of the domain or an aligned one. Otherwise only the ARC seal records what was
 * found on arrival.
 * @param header of the message as received
 */
export function vouches(
  domain: string,
  header: Uint8Array,
  auth: Pick<SenderAuth, "dmarc"> | undefined,
): boolean {
  if (auth?.dmarc.result === "pass") return true;
  // The rest of a longer one could have another From.
  if (header.length >= maxHeader && bodyStart(header) === header.length) return false;
  const own = organizationalDomain(domain.toLowerCase());
  let count = 0;
  const fields = splitHeader(header);
  // There may be another From after them.
  if (fields.length >= maxFields) return false;
  for (const { name, value } of fields) {
    if (name !== "from") continue;
    for (const d of mentionedDomains(value, maxDomains)) {
      if (++count >= maxDomains || organizationalDomain(asciiOf(d)) === own) return false;
    }
  }
  // No usable From, or one that only some programs would find.
  return count > 0 && !/^[ \t]/.test(new TextDecoder("latin1").decode(header.subarray(0, 1)));
}

function asciiOf(domain: string): string {
  return URL.parse(`http://${domain}`)?.hostname ?? domain;
}
