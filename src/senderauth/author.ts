/** The domain of a message's author, which DMARC is about (RFC 7489 §6.6.1). @module */
import { normalizeName } from "../dns/mod.ts";
import { fieldText, type HeaderFields } from "./header_fields.ts";

/** The domain of From, or why there is none that a policy could be about. */
export type AuthorDomain = { domain: string } | {
  error: string;
  /** Where there are several authors: all their domains, at most {@link maxDomains}. */
  domains?: string[];
};

/** Domains of several authors that policies are asked of. */
export const maxDomains = 5;

/** Characters of a From field that are looked at. */
const MAX_FROM = 65_536;

/**
 * The domain that all addresses of the only From field share, in lower case and ASCII. Several
 * From fields, several domains, or no address are errors: a reader can't tell who wrote it.
 */
export function authorDomain(header: HeaderFields): AuthorDomain {
  const fields = header.fields.filter((f) => f.name === "from");
  if (fields.length === 0) return { error: "no From field" };
  if (fields.length > 1) {
    const domains = new Set<string>();
    for (const f of fields.slice(0, 20)) {
      const text = fieldText(header, f).slice(0, MAX_FROM);
      for (const d of addressDomains(text) ?? []) {
        const name = normalizeName(d.trim());
        if (name?.includes(".") && !name.includes(" ")) domains.add(name);
      }
    }
    return { error: "several From fields", domains: [...domains].slice(0, maxDomains) };
  }
  const text = fieldText(header, fields[0]);
  if (text.length > MAX_FROM) return { error: "From field too long" };
  const domains = addressDomains(text);
  if (!domains) return { error: "From field is malformed" };
  const normal = new Set<string>();
  for (const d of domains) {
    const name = normalizeName(d.trim());
    if (name === undefined || !name.includes(".") || name.includes(" ")) {
      return { error: "From field has no valid domain" };
    }
    normal.add(name);
  }
  if (normal.size === 0) return { error: "From field has no address" };
  if (normal.size > 1) {
    return { error: "From field has several domains", domains: [...normal].slice(0, maxDomains) };
  }
  return { domain: [...normal][0] };
}

/**
 * The domains of the addresses in an address list: of what stands in angle brackets, else of the
 * bare address. Quoted strings and comments are passed over. Undefined if they don't end.
 */
function addressDomains(text: string): string[] | undefined {
  const domains: string[] = [];
  // The address so far: outside of brackets, and inside of them where there are any.
  let bare = "";
  let bracketed: string | undefined;
  let inBrackets = false;
  const endAddress = (): boolean => {
    const address = bracketed ?? bare.trim();
    bare = "";
    bracketed = undefined;
    if (address.trim() === "") return true;
    const at = address.lastIndexOf("@");
    if (at < 0) return false;
    domains.push(address.slice(at + 1));
    return true;
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      const end = quotedEnd(text, i);
      if (end < 0) return undefined;
      // What is quoted has no say in which domain it is, but stands for a local part.
      if (inBrackets) bracketed += "q";
      else bare += "q";
      i = end;
    } else if (c === "(") {
      const end = commentEnd(text, i);
      if (end < 0) return undefined;
      i = end;
    } else if (c === "<") {
      if (inBrackets || bracketed !== undefined) return undefined;
      inBrackets = true;
      bracketed = "";
    } else if (c === ">") {
      if (!inBrackets) return undefined;
      inBrackets = false;
    } else if (inBrackets) bracketed += c;
    // RFC 5322 §3.4: a group is "name: addresses;".
    else if (c === ":") bare = "";
    else if (c === "," || c === ";") {
      if (!endAddress()) return undefined;
    } else bare += c;
  }
  if (inBrackets || !endAddress()) return undefined;
  return domains;
}

function quotedEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i;
  }
  return -1;
}

function commentEnd(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "(") depth++;
    else if (text[i] === ")" && --depth === 0) return i;
  }
  return -1;
}
