/**
 * The parts that a mailing list adds to all of its messages, which say nothing about a single one: the tag in
 * the subject, the lines below the text, the list's own hosts. Otherwise spam through a list would get past the
 * filter because of the list's words.
 *
 * @module
 */

/** UTF-16 units at the end of a text that may contain the list's lines. */
const maxFooter = 700;

/** A message's mailing list. */
export interface MailingList {
  /** True for signs of the list's own hosts, such as "url:lists.example.org". */
  owns(sign: string): boolean;
  /** The subject without the list's tag. */
  subject(value: string): string;
  /** The text without the list's lines below it. */
  text(value: string): string;
}

/** The list given by the field List-Id (RFC 2919); undefined if there is none. */
export function listOf(headers: readonly (readonly [string, string])[]): MailingList | undefined {
  const id = headers.find(([name]) => name.toLowerCase() === "list-id")?.[1];
  if (id === undefined) return undefined;
  const host = /<([^<>]{1,253})>/.exec(id.slice(-400))?.[1] ?? id.slice(0, 253);
  const domain = host.trim().toLowerCase().split(".").slice(-2).join(".");
  const own = (sign: string) => {
    const name = sign.startsWith("url:")
      ? sign.slice(4)
      : sign.startsWith("rcvd:")
      ? sign.slice(5)
      : "";
    return name === domain || name.endsWith(`.${domain}`);
  };
  return {
    owns: own,
    subject: (value) => value.replace(/^((?:\s*re:)?\s*)\[[^\]]{1,40}\]/i, "$1"),
    text: (value) => withoutFooter(value, domain),
  };
}

/** Cuts off the text after the last line of dashes near the end, if it names the list's domain. */
function withoutFooter(text: string, domain: string): string {
  const from = Math.max(0, text.length - maxFooter);
  const end = text.slice(from);
  let at = -1;
  for (const line of end.matchAll(/^(?:_{10,200}|-{10,200}|-- ?)\r?$/gm)) at = line.index;
  return at < 0 || !end.slice(at).toLowerCase().includes(domain) ? text : text.slice(0, from + at);
}
