/**
 * STATUS answers, for STATUS, LIST and NOTIFY.
 *
 * @module
 */
import type { Mailbox } from "../../store/types.ts";
import type { Session } from "./session.ts";

/** The STATUS line of a mailbox with the items asked for. */
export function statusText(s: Session, m: Mailbox, items: readonly string[]): string {
  const values = items.map((item) => `${item} ${statusValue(s, m, item)}`);
  return `STATUS ${s.mailboxText(m.name)} (${values.join(" ")})`;
}

function statusValue(s: Session, m: Mailbox, item: string): string {
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
        s.store.fetch(m.id, s.store.uids(m.id), 0, (row) => {
          if (row.flags & 8) sum += row.size;
        });
      }
      return `${sum}`;
    }
    case "MAILBOXID":
      return `(M${m.id})`;
    default:
      // RECENT: no message is, RFC 9051 has done away with it.
      return "0";
  }
}
