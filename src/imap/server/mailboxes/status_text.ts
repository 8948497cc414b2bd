/**
 * STATUS answers, for STATUS, LIST and NOTIFY.
 *
 * @module
 */
import type { Account } from "../../../store/account/account.ts";
import type { Mailbox } from "../../../store/types.ts";
import { idSuffix } from "./places.ts";
import type { Place } from "../names/names.ts";
import type { Session } from "../session/session.ts";

/** The STATUS line of a mailbox with the items asked for. */
export function statusText(
  s: Session,
  p: Pick<Place, "account" | "mailbox" | "name">,
  items: readonly string[],
): string {
  const values = items.map((item) => `${item} ${statusValue(s, p.account, p.mailbox, item)}`);
  return `STATUS ${s.mailboxText(p.name)} (${values.join(" ")})`;
}

function statusValue(s: Session, account: Account, m: Mailbox, item: string): string {
  switch (item) {
    case "MESSAGES":
      return `${m.total}`;
    case "UIDNEXT":
      return `${m.uidNext}`;
    case "UIDVALIDITY":
      return `${m.uidValidity}`;
    case "UNSEEN":
      return `${m.unseen}`;
    case "DELETED":
      return `${m.deleted}`;
    case "SIZE":
      return `${m.size}`;
    case "APPENDLIMIT":
      return `${s.backend.maxMessageSize}`;
    case "HIGHESTMODSEQ":
      return `${m.modseq}`;
    case "DELETED-STORAGE": {
      // RFC 9208 §4.1.4: bytes that EXPUNGE would free.
      let sum = 0;
      if (m.deleted > 0) {
        account.fetch(m.id, account.uids(m.id), 0, (row) => {
          if (row.flags & 8) sum += row.size;
        });
      }
      return `${sum}`;
    }
    case "MAILBOXID":
      return `(M${m.id}${idSuffix(s, account)})`;
    default:
      // RECENT: no message is, RFC 9051 has done away with it.
      return "0";
  }
}
