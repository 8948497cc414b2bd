/** The input of {@link signalsOf} for an arriving or stored message. @module */
import { correspondentDomains } from "../../store/messages/history.ts";
import type { MessageText } from "../../junk/mod.ts";
import type { HeaderField } from "../../mail/header/header.ts";
import type { Db } from "../../store/database/database.ts";
import type { Summary } from "../../store/messages/summary.ts";
import type { Suspect } from "./mod.ts";

/** Most UTF-16 units of all text parts together. */
const maxTexts = 256 * 1024;
/** Most domains that an account's user has written to which are checked, the first ones by name. */
const maxDomains = 5000;

/** The message in the form that {@link signalsOf} needs. */
export function suspectOf(
  d: { summary: Pick<Summary, "from" | "replyTo">; fields: readonly HeaderField[] },
  text: MessageText,
  verified: boolean,
  correspondents: Iterable<string>,
): Suspect {
  const [from, second] = d.summary.from;
  let left = maxTexts;
  const texts: Suspect["texts"][number][] = [];
  for (const t of text.texts) {
    if (left <= 0) break;
    texts.push({ html: t.html, text: t.text.slice(0, left) });
    left -= t.text.length;
  }
  return {
    from: from === undefined || second !== undefined
      ? undefined
      : { name: from.name ?? "", address: from.address },
    replyTo: d.summary.replyTo,
    verified,
    list: d.fields.some((f) => f.name === "list-id"),
    texts,
    attachments: [...text.attachments ?? []],
    correspondents,
  };
}

/** Registered domains that the account's user has written to. */
export function correspondentsOf(db: Db): string[] {
  return correspondentDomains(db, maxDomains);
}
