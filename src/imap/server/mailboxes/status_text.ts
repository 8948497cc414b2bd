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
  session: Session,
  p: Pick<Place, "account" | "mailbox" | "name">,
  items: readonly string[],
): string {
  const values = items.map((item) => `${item} ${statusValue(session, p.account, p.mailbox, item)}`);
  return `STATUS ${session.mailboxText(p.name)} (${values.join(" ")})`;
}

/** RECENT: in the selected mailbox those this session was told of, elsewhere those no session was told of. */
function recentCount(session: Session, account: Account, mailbox: Mailbox): number {
  if (!session.tellsRecent) return 0;
  if (session.view?.shows(account, mailbox.id)) return session.view.recentCount;
  const from = account.recent.from(mailbox.id);
  if (from >= mailbox.uidNext || mailbox.total === 0) return 0;
  return from === 1 ? mailbox.total : account.countFromUid(mailbox.id, from);
}

function statusValue(session: Session, account: Account, mailbox: Mailbox, item: string): string {
  switch (item) {
    case "MESSAGES":
      return `${mailbox.total}`;
    case "UIDNEXT":
      return `${mailbox.uidNext}`;
    case "UIDVALIDITY":
      return `${mailbox.uidValidity}`;
    case "UNSEEN":
      return `${mailbox.unseen}`;
    case "DELETED":
      return `${mailbox.deleted}`;
    case "SIZE":
      return `${mailbox.size}`;
    case "APPENDLIMIT":
      return `${session.backend.maxMessageSize}`;
    case "HIGHESTMODSEQ":
      return `${mailbox.modseq}`;
    case "DELETED-STORAGE": {
      // RFC 9208 §4.1.4: bytes that EXPUNGE would free.
      let sum = 0;
      if (mailbox.deleted > 0) {
        account.fetch(mailbox.id, account.uids(mailbox.id), 0, (row) => {
          if (row.flags & 8) sum += row.size;
        });
      }
      return `${sum}`;
    }
    case "MAILBOXID":
      return `(M${mailbox.id}${idSuffix(session, account)})`;
    default:
      return `${recentCount(session, account, mailbox)}`;
  }
}
