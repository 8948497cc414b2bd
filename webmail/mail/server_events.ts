/** Applies the server's events to what the page shows. @module */
import type { Change, Mailbox, ServerEvent, Settings, StartEvent } from "../api/mod.ts";
import { fill } from "../lib/dom.ts";
import { alertUser, attempt } from "../lib/notify.ts";
import { showBadge } from "./app_install.ts";
import { groupwareChanged, groupwareConnected } from "./groupware_changes.ts";
import { tellArrival } from "./list/arrivals.ts";
import type { LabelList } from "./mailboxes/labels.ts";
import { labelsOf, type PageState, queryOf, wantedMailbox } from "./page_state.ts";
import type { Showing, ShowingParts } from "./showing.ts";
import { t } from "../lib/text.ts";

/** What gets the events, and callbacks. */
export interface ServerEventParts extends Omit<ShowingParts, "place" | "bulk" | "reconnect"> {
  labels: LabelList;
  shown: Showing;
  /** Shows who is logged in. */
  who: HTMLElement;
  applySettings: (settings: Settings) => void;
  /** Whether something is being written or asked that a reload would lose. */
  busy: () => boolean;
  /** Called for the first of all events: the page starts. */
  begin: (start: StartEvent, settings: Settings) => void;
  editDraft: (id: number) => Promise<void>;
  sessionEnded: (reason: string) => void;
}

/** Changes that concern what is listed. */
const ofView: ReadonlySet<Change["kind"]> = new Set<Change["kind"]>([
  "threads",
  "messagesRemove",
  "flags",
  "threadState",
  "viewStale",
]);

/** Creates the handler of events. */
export function serverEvents(
  state: PageState,
  parts: ServerEventParts,
): (event: ServerEvent) => void {
  const { list, message, boxes, labels, shown } = parts;
  const { mailboxes } = state;

  function drawBadge(): void {
    showBadge([...mailboxes.values()].find((m) => m.name === "Inbox")?.unread ?? 0);
  }

  function edit(id: number, fields: Partial<Mailbox>, redraw: boolean): void {
    const m = mailboxes.get(id);
    if (m === undefined) return;
    const now = { ...m, ...fields };
    mailboxes.set(id, now);
    if (redraw) boxes.set(mailboxes.values());
    else boxes.update(now);
    if (id === state.openMailbox) shown.drawPlace();
    if (now.name === "Inbox") drawBadge();
  }

  function change(c: Change): void {
    switch (c.kind) {
      case "mailboxAdd":
        mailboxes.set(c.mailbox.id, c.mailbox);
        boxes.set(mailboxes.values());
        break;
      case "mailboxRemove":
        mailboxes.delete(c.id);
        boxes.set(mailboxes.values());
        if (c.id === state.openMailbox) shown.show(wantedMailbox(state), {});
        break;
      case "mailboxRename":
        edit(c.id, { name: c.name, parentId: c.parentId }, true);
        break;
      case "mailboxSpecialUse":
        edit(c.id, { specialUse: c.specialUse }, true);
        break;
      case "mailboxKeywords":
        edit(c.id, { keywords: c.keywords }, false);
        labels.set(labelsOf(state));
        break;
      case "mailboxCounts":
        edit(c.id, c.counts, false);
        if (c.id === state.openMailbox && Object.keys(state.filter).length === 0) {
          list.setTotal(c.counts.total);
        }
        break;
      case "settings":
        parts.applySettings(c.settings);
        break;
      case "arrived":
        tellArrival(c.item, () => list.select(c.item.id));
        break;
      case "groupware":
        groupwareChanged(c);
        break;
      case "waits":
        message.waits(c.id, c.sendAt);
        break;
      case "sendFailed": {
        const { draftId, subject, why } = c;
        alertUser(
          t('"{0}" was not sent: {1}. It is a draft again.', subject || t("(no subject)"), why),
          {
            text: t("Edit"),
            run: () => attempt(() => parts.editDraft(draftId)),
            seconds: 60,
          },
        );
        break;
      }
      case "viewStale":
        shown.show(state.openMailbox ?? null, state.filter, true);
        break;
      default:
        list.change(c);
    }
  }

  function begin(event: StartEvent): void {
    const before = state.start;
    state.start = event;
    if (before !== undefined && before.version !== event.version && !parts.busy()) {
      location.reload();
      return;
    }
    groupwareConnected(event.sseId);
    mailboxes.clear();
    for (const m of event.mailboxes) mailboxes.set(m.id, m);
    boxes.set(mailboxes.values());
    boxes.setQuota(event.quota);
    drawBadge();
    fill(parts.who, event.loginAddress);
    if (before === undefined) {
      parts.begin(event, event.settings);
      return;
    }
    parts.applySettings(event.settings);
    // A new connection starts its view by itself.
    list.reset(queryOf(state).threading, message.current()?.item.id);
    shown.drawPlace();
  }

  return (e) => {
    switch (e.kind) {
      case "start":
        return begin(e);
      case "view":
        if (e.viewId === state.viewId) list.add(e);
        break;
      case "progress":
        if (e.viewId === state.viewId) list.say(t("Searching, {0} of {1}…", e.done, e.total));
        break;
      case "viewError":
        if (e.viewId === state.viewId) list.say(e.message);
        break;
      case "changes":
        for (const c of e.changes) {
          if (!ofView.has(c.kind) || e.viewId === state.viewId) change(c);
        }
        break;
      case "end":
        parts.sessionEnded(t("Your session has ended: {0}.", e.reason));
    }
  };
}
