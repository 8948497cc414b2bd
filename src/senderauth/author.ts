/** The domain of a message's author, which DMARC checks (RFC 7489 §6.6.1). @module */
import { normalizeName } from "../dns/mod.ts";
import { mentionedDomains, strictAuthors } from "../mail/address/author.ts";
import { fieldText, type HeaderFields, latin1 } from "./header_fields.ts";

/** The domain of From, or why there is none that a policy could apply to. */
export type AuthorDomain = { domain: string } | {
  error: string;
  /** If there are several authors: all their domains, at most {@link maxDomains}. */
  domains?: string[];
};

/** Most domains of several authors whose policies are looked up. */
export const maxDomains = 5;

/** Most characters of a From field that are read. */
const MAX_FROM = 65_536;

/**
 * The domain that all addresses of the only From field share, in lower case and ASCII. Several From fields,
 * several domains, no address, or a field that programs parse differently, are errors: a reader can't know who
 * wrote it.
 */
export function authorDomain(header: HeaderFields): AuthorDomain {
  const fields = header.fields.filter((f) => f.name === "from");
  const texts = fields.map((f) => fieldText(header, f));
  // Some programs take a continuation as the first line for a field.
  const first = /^[ \t]+from[ \t]*:([^\r\n]*)/i.exec(latin1(header.bytes, 0, 1000))?.[1];
  if (first !== undefined) texts.unshift(first);
  if (texts.length === 0) return { error: "no From field" };
  if (texts.length > 1) return { error: "several From fields", domains: allDomains(texts) };
  const [text] = texts;
  if (text.length > MAX_FROM) return { error: "From field too long" };
  const authors = strictAuthors(text);
  // If everything that looks like an address has the same domain, sloppy syntax does no harm.
  const domains = "addresses" in authors
    ? authors.addresses.map((a) => a.domain)
    : lenientDomains(text);
  if (domains === undefined) {
    return { error: "From field is malformed", domains: allDomains(texts) };
  }
  const normal = new Set<string>();
  for (const d of domains) {
    const name = normalizeName(d.trim());
    if (name === undefined || !name.includes(".") || name.includes(" ")) {
      return { error: "From field has no valid domain", domains: allDomains(texts) };
    }
    normal.add(name);
  }
  if (normal.size === 0) return { error: "From field has no address" };
  if (normal.size > 1) {
    return { error: "From field has several domains", domains: [...normal].slice(0, maxDomains) };
  }
  return { domain: [...normal][0] };
}

/** The domain of a malformed field; undefined if there could be several addresses. */
function lenientDomains(text: string): string[] | undefined {
  const count = (c: string) => text.split(c).length - 1;
  if (count("<") > 1 || count("<") !== count(">") || count('"') % 2 !== 0) return undefined;
  const domains = mentionedDomains(text, 2);
  return domains.length === 1 ? domains : undefined;
}

/** All domains that a reader could take for the author's. */
function allDomains(texts: readonly string[]): string[] {
  const domains = new Set<string>();
  for (const text of texts.slice(0, 20)) {
    for (const d of mentionedDomains(text, maxDomains)) {
      const name = normalizeName(d);
      if (name?.includes(".") && domains.size < maxDomains) domains.add(name);
    }
  }
  return [...domains];
}
