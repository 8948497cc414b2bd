/** Whether a message is encrypted or signed for its readers' programs (RFC 3156, RFC 8551). @module */
import type { ParsedMessage } from "../../../../webmail/api/mod.ts";
import type { Part } from "../../../mail/structure/structure.ts";
import { numberedParts } from "./parts.ts";

/** How it is protected, as far as its structure tells; null if it isn't. */
export function protectionOf(root: Part): ParsedMessage["protection"] {
  const protocol = root.params.protocol?.toLowerCase() ?? "";
  if (root.type === "multipart" && root.subtype === "encrypted") return "pgpEncrypted";
  if (root.type === "multipart" && root.subtype === "signed") {
    return protocol.includes("pgp") ? "pgpSigned" : "smimeSigned";
  }
  for (const { part } of numberedParts(root)) {
    if (part.type !== "application" || !/^(?:x-)?pkcs7-mime$/.test(part.subtype)) continue;
    return part.params["smime-type"]?.toLowerCase() === "signed-data"
      ? "smimeSigned"
      : "smimeEncrypted";
  }
  return null;
}

/** Whether a part is the signature of a signed message: it is checked, not read (RFC 1847 §2.1). */
export function isSignature(root: Part, p: Part): boolean {
  return root.subtype === "signed" && root.parts.length === 2 && root.parts[1] === p &&
    p.type === "application" && /^(?:pgp|(?:x-)?pkcs7)-signature$/.test(p.subtype);
}
