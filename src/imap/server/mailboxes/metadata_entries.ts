/**
 * What METADATA commands name: the annotated mailbox, or the server, and the entries (RFC 5464 §3).
 *
 * @module
 */
import { type MailboxId, noMailbox } from "../../../store/ids.ts";
import { ImapBad, ImapNo } from "../session/answer.ts";
import { place } from "./places.ts";
import type { Source } from "../names/names.ts";
import type { Session } from "../session/session.ts";

/** Bytes of an entry's name. */
const maxEntryName = 250;

/**
 * The mailbox, 0 for the server's own annotations, in its account.
 * @param letters rights of which the client needs one
 * @throws ImapNo if it does not exist for this client or the client lacks the rights
 */
export async function metadataTarget(
  session: Session,
  name: string,
  letters: string,
): Promise<{ source: Source; id: MailboxId; name: string }> {
  if (name === "") return { source: session.sources[0], id: noMailbox, name: "" };
  const p = await place(session, name, letters);
  // RFC 5464 §3.3: that right, and the right to look up the mailbox.
  if (!p.rights.includes("l")) throw new ImapNo("no such mailbox", "NONEXISTENT");
  const source = session.sources.find((x) => x.account === p.account) ??
    { account: p.account, listener: session.sources[0].listener, prefix: "" };
  return { source, id: p.mailbox.id, name: p.name };
}

/**
 * RFC 5464 §3.2: begins with "/private/" or "/shared/", no wildcards, no empty components. The root above all
 * entries can be requested with a depth.
 * @throws ImapBad
 */
export function checkEntry(name: string, depth = 0): void {
  const whole = depth > 0 ? /^\/(private|shared)(\/[^/]+)*$/i : /^\/(private|shared)(\/[^/]+)+$/i;
  if (!whole.test(name) || name.length > maxEntryName) {
    throw new ImapBad("entry name must begin with /private/ or /shared/ and have no empty parts");
  }
  // deno-lint-ignore no-control-regex
  if (/[*%\x00-\x1f\x7f-\uffff]/.test(name)) {
    throw new ImapBad("entry name has a character that is not allowed");
  }
}
