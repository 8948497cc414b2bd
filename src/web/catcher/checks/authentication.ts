/** How receivers will judge the sender: from the message alone, or with DNS lookups. @module */
import {
  type DkimSignature,
  listedOrganization,
  parseDkimSignature,
  type SenderAuth,
} from "../../../senderauth/mod.ts";
import type { Checked, Finding } from "./types.ts";

const domainOf = (address: string) => address.slice(address.lastIndexOf("@") + 1).toLowerCase();

function signatureOf(value: string): DkimSignature | undefined {
  try {
    return parseDkimSignature(value);
  } catch {
    return undefined;
  }
}

/** What the signatures claim, without lookups. */
export function checkSignatures(checked: Checked): Finding[] {
  const found: Finding[] = [];
  const add = (Level: Finding["Level"], Text: string) =>
    found.push({ Area: "authentication", Level, Text });
  const domain = domainOf(checked.from);
  const values = checked.fields.filter((f) => f.name === "dkim-signature").map((f) => f.value);
  if (values.length === 0) {
    add("note", "There is no DKIM signature: sign it, or let the server sign that it is sent by.");
    return found;
  }
  let aligned = false;
  for (const value of values.slice(0, 10)) {
    const s = signatureOf(value);
    if (s === undefined) {
      add("warning", "A DKIM signature can't be read.");
      continue;
    }
    const same = listedOrganization(s.domain) === listedOrganization(domain);
    aligned ||= same;
    add("ok", `It is signed by ${s.domain} (${s.selector}).`);
  }
  if (!aligned) {
    add("warning", `No signature is of ${domain}, the domain in From: DMARC won't count them.`);
  }
  return found;
}

/** What a receiver would find who got it from an internet address. */
export function checkAuth(auth: SenderAuth, ip: string): Finding[] {
  const finding = (name: string, status: string, more: string): Finding => ({
    Area: "authentication",
    Level: status === "pass" ? "ok" : status === "none" ? "note" : "warning",
    Text: `${name}: ${status}${more}.`,
  });
  return [
    finding("SPF", auth.spf.result, ` for ${ip}`),
    ...auth.dkim.map((d) => finding("DKIM", d.status, d.domain ? ` of ${d.domain}` : "")),
    finding("DMARC", auth.dmarc.result, ""),
  ];
}
