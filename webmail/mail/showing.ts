/** Showing a mailbox, or what is found: the list, the page's address and its title go together. @module */
import { call } from "../api/client.ts";
import type { Filter } from "../api/mod.ts";
import { fill } from "../lib/dom.ts";
import { attempt } from "../lib/notify.ts";
import type { BulkBar } from "./list/bulk_bar.ts";
import type { MessageList } from "./list/message_list.ts";
import type { MailboxList } from "./mailboxes/list.ts";
import { leafName } from "./names.ts";
import { setAddress } from "./page_address.ts";
import { pageCount, type PageState, queryOf, shownMailbox, viewOf } from "./page_state.ts";
import type { MessageView } from "./reading/message_view.ts";
import type { SearchBar } from "./search/bar.ts";
import { t } from "../lib/text.ts";

/** The views that show it. */
export interface ShowingParts {
  list: MessageList;
  message: MessageView;
  bulk: BulkBar;
  boxes: MailboxList;
  search: SearchBar;
  /** Where the mailbox is named. */
  place: HTMLElement;
  reconnect: () => void;
}

export interface Showing {
  /** Shows a mailbox (null: all), or what is found there. `keep`: the open message stays open. */
  show(id: number | null, f: Filter, keep?: boolean): void;
  /** Names the mailbox and what is unread in it, as they are now. */
  drawPlace(): void;
  /** Asks for what comes after a row. */
  more(anchor: number): void;
}

export function showing(s: PageState, p: ShowingParts): Showing {
  function show(id: number | null, f: Filter, keep = false): void {
    s.openMailbox = id;
    s.filter = f;
    s.viewId++;
    p.list.reset(queryOf(s).threading, keep ? p.message.current()?.item.id : undefined);
    if (!keep) p.message.showNone([], []);
    p.bulk.show(0);
    drawPlace();
    setAddress(shownMailbox(s)?.name ?? "", p.search.text());
    const { start, viewId } = s;
    if (start === undefined) return;
    attempt(async () => {
      try {
        await call("ViewSet", { sseId: start.sseId, view: viewOf(s) });
      } catch (e) {
        // A connection that just broke: the next one asks for this view.
        if (viewId === s.viewId && !(e instanceof Error && "code" in e && e.code === "missing")) {
          throw e;
        }
        p.reconnect();
      }
    });
  }

  function drawPlace(): void {
    const m = shownMailbox(s);
    const name = m === undefined ? t("All mail") : leafName(m.name);
    p.boxes.setOpen(s.openMailbox ?? null);
    p.search.setPlace(name);
    fill(p.place, name);
    document.title = `${m !== undefined && m.unread > 0 ? `(${m.unread}) ` : ""}${name} – ${
      s.start?.loginAddress ?? "mail"
    }`;
  }

  function more(anchor: number): void {
    const { start, viewId } = s;
    if (start === undefined) return;
    attempt(() =>
      call("ViewMore", { sseId: start.sseId, viewId, page: { anchor, count: pageCount } })
    );
  }

  return { show, drawPlace, more };
}
