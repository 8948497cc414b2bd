/** The extensions that a script may require. @module */

/** Extensions, in the order in which clients see them. */
export const extensions: readonly string[] = [
  "fileinto",
  "reject",
  "ereject",
  "envelope",
  "encoded-character",
  "vacation",
  "vacation-seconds",
  "subaddress",
  "comparator-i;octet",
  "comparator-i;ascii-casemap",
  "comparator-i;ascii-numeric",
  "comparator-i;unicode-casemap",
  "relational",
  "regex",
  "imap4flags",
  "copy",
  "include",
  "variables",
  "body",
  "enotify",
  "environment",
  "mailbox",
  "mboxmetadata",
  "servermetadata",
  "special-use",
  "mailboxid",
  "date",
  "index",
  "ihave",
  "duplicate",
  "editheader",
  "foreverypart",
  "mime",
  "extracttext",
  "replace",
  "enclose",
  "extlists",
  "spamtest",
  "spamtestplus",
  "virustest",
  "redirect-dsn",
  "redirect-deliverby",
  "envelope-dsn",
  "envelope-deliverby",
  "fcc",
  "imapsieve",
];

/** Extensions that include others. */
const implied: Readonly<Record<string, readonly string[]>> = {
  "vacation-seconds": ["vacation"],
  spamtestplus: ["spamtest"],
};

/** The extension with those it includes. */
export function withImplied(name: string): readonly string[] {
  return [name, ...(implied[name] ?? [])];
}

/** Extensions that change the meaning of scripts: only require enables them (RFC 5463 §4). */
const interpreting: ReadonlySet<string> = new Set(["variables", "encoded-character"]);

/** Whether `ihave` may enable an extension (RFC 5463 §4). */
export function ihaveMayEnable(name: string, available: ReadonlySet<string>): boolean {
  return available.has(name) && !interpreting.has(name);
}
