/** A mailing list of domains.conf, and the addresses that belong to it. @module */
import { type Infer, optional, required } from "../sconf/schema.ts";
import { list, struct } from "../sconf/schema_blocks.ts";
import { bool, text, word } from "../sconf/schema_scalars.ts";
import { addressText, count } from "../sconf/types.ts";
import type { Domain as DomainName } from "../names.ts";

/** Default for the most bytes of a message to a list. */
const usualMessageSize = 10 * 1024 * 1024;

const line = text(
  // deno-lint-ignore no-control-regex
  (s) => /[\x00-\x1f\x7f]/.test(s) ? "has a control character" : undefined,
);

export const mailingList = struct({
  Name: optional(line, "Name of the list for people. By default the part before the @."),
  Description: optional(line, "What the list is about, in a sentence. It stands on its web page."),
  Owners: required(
    list(addressText),
    "Addresses of those who look after the list, here or at other servers. They get the mail to the address with -owner " +
      "and notices of held messages, approve these, and may always write to the list. They need not be members.",
  ),
  Posting: optional(
    word(["members", "anyone", "owners"]),
    "Who may write to the list, as told from a verified From address.",
    "members",
  ),
  Others: optional(
    word(["hold", "refuse"]),
    "What becomes of messages of those who may not write to it: an owner decides, or they are refused.",
    "hold",
  ),
  Moderated: optional(
    bool,
    "Messages of members are held too, until an owner has approved them.",
  ),
  Subscribing: optional(
    word(["open", "approve", "closed"]),
    "Who can become a member: with open everybody who confirms the address by mail; with approve an owner decides " +
      "after that; with closed members are only added by an administrator.",
    "open",
  ),
  Archive: optional(
    word(["members", "public", "none"]),
    "Who may read what was written, on the web pages of lists (ListsHTTPS of a listener). Without an archive messages " +
      "are deleted once they are sent.",
    "members",
  ),
  From: optional(
    word(["dmarc", "always", "never"]),
    "Whether the list's address takes the place of the author's in From, which then is in Reply-To: with dmarc where " +
      "the author's domain has a policy that makes other servers refuse mail that lists pass on. With never messages " +
      "keep their From, and ARC alone says that it was verified.",
    "dmarc",
  ),
  ReplyToList: optional(bool, "Replies go to the list, not to the author."),
  SubjectPrefix: optional(
    line,
    "Put before the subject where it isn't there yet, for example [news]. It breaks the author's DKIM signature, so " +
      "that with From: dmarc the address in From is replaced for all domains that have a DMARC record.",
  ),
  MaxMessageSize: optional(count, "Largest message, in bytes.", usualMessageSize),
  Unlisted: optional(bool, "The list is not named on the web page with all lists."),
});
export type MailingList = Infer<typeof mailingList>;

/** The purpose of a list's address. */
export type ListRole =
  | "post"
  | "owner"
  | "request"
  | "subscribe"
  | "unsubscribe"
  | "confirm"
  | "bounces";

/** The suffixes between a list's name and the @, or the + before a token. */
export const listSuffixes: readonly (readonly [string, ListRole])[] = [
  ["-owner", "owner"],
  ["-request", "request"],
  ["-subscribe", "subscribe"],
  ["-unsubscribe", "unsubscribe"],
  ["-confirm", "confirm"],
  ["-bounces", "bounces"],
];

/**
 * Most bytes of a list's localpart: with the longest suffix and a token it must fit into 64 (RFC 5321
 * §4.5.3.1.1).
 */
export const maxListLocalpart = 28;

/** A list with its domain and key. */
export interface ResolvedList {
  /** `news@example.org` in lower case, with the domain in ASCII: its name in databases. */
  key: string;
  localpart: string;
  domain: DomainName;
  config: MailingList;
}

/** An address of a list. */
export interface ListAddress {
  list: ResolvedList;
  role: ListRole;
  /** The part after a +; "" without one. */
  token: string;
}

/** The address of a list for a purpose, with the domain in ASCII. */
export function listAddress(list: ResolvedList, role: ListRole, token = ""): string {
  const suffix = listSuffixes.find(([, r]) => r === role)?.[0] ?? "";
  return `${list.localpart}${suffix}${token === "" ? "" : `+${token}`}@${list.domain.ascii}`;
}
