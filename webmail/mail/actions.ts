/**
 * Actions on messages: each with its wording, its undo, and its error messages.
 *
 * @module
 */
import { call } from "../api/client.ts";
import type { Done, Flag, Mailbox, SpecialUse, Target } from "../api/mod.ts";
import { confirmDialog, openMenu, promptDialog } from "../lib/dialog.ts";
import { askTime, snoozeTimes } from "./compose/send_options.ts";
import { countText, plannedDate } from "../lib/format.ts";
import { attempt, notice } from "../lib/notify.ts";
import { may } from "./mailboxes/rights.ts";
import { leafName, sortedMailboxes } from "./names.ts";
import { t } from "../lib/text.ts";

/** What actions need from the page. */
export interface ActionContext {
  /** Messages to act on, when all of them are known; undefined if none is selected. */
  target: () => Promise<Target> | undefined;
  mailboxes: () => Iterable<Mailbox>;
  /** Called before messages leave the list, so that the next one can be opened. */
  leaving: () => void;
}

export interface Actions {
  archive(): void;
  trash(): void;
  deleteForever(): void;
  junk(): void;
  notJunk(): void;
  flags(add: Flag[], remove: Flag[]): void;
  label(): void;
  move(mailboxId: number, target?: Promise<Target>): void;
  moveMenu(at: Element): void;
  mute(mute: boolean): void;
  /** A menu of times for snoozed messages to come back. */
  snoozeMenu(at: Element): void;
  undo(): void;
}

const places: Record<SpecialUse, string> = {
  archive: t("archive"),
  drafts: t("drafts"),
  junk: t("junk"),
  sent: t("sent mail"),
  trash: t("trash"),
};

/** Makes the actions. */
export function actions(context: ActionContext): Actions {
  let lastUndo: string | undefined;
  /** Takes the notice away that offers it. */
  let endNotice = () => {};

  const undo = () =>
    attempt(async () => {
      if (lastUndo === undefined) return notice(t("Nothing to undo."));
      const token = lastUndo;
      lastUndo = undefined;
      endNotice();
      const { count } = await call("Undo", { undo: token });
      notice(t("Undone for {0}.", countText(count, "message")));
    });

  const done = (done: Done, what: string) => {
    if (done.undo !== null) lastUndo = done.undo;
    const gone = notice(
      `${countText(done.count, "message")} ${what}.`,
      done.undo === null ? undefined : { text: t("Undo"), key: "z", run: undo },
    );
    if (done.undo !== null) endNotice = gone;
  };
  /** Runs with the selected messages, if there are any. */
  const act = (run: (target: Target) => Promise<unknown>, target = context.target()) => {
    if (target !== undefined) attempt(async () => await run(await target));
  };
  const moveTo = (specialUse: SpecialUse) =>
    act(async (target) => {
      context.leaving();
      const d = await call("MoveTo", { target, specialUse });
      done(d, t("moved to {0}", places[specialUse]));
    });
  const setFlags = (target: Target, add: Flag[], remove: Flag[]) =>
    call("FlagsSet", { target, add, remove, addKeywords: [], removeKeywords: [] });

  const move = (mailboxId: number, target = context.target()) =>
    act(async (chosen) => {
      const name = [...context.mailboxes()].find((m) => m.id === mailboxId)?.name ?? "mailbox";
      context.leaving();
      done(await call("Move", { target: chosen, mailboxId }), t("moved to {0}", leafName(name)));
    }, target);

  return {
    archive: () => moveTo("archive"),
    junk: () => moveTo("junk"),
    trash: () =>
      act(async (target) => {
        context.leaving();
        done(await call("Delete", { target }), t("deleted"));
      }),
    deleteForever: () =>
      act(async (target) => {
        const yes = await confirmDialog(
          t("Delete for good"),
          t("The messages are removed and can't be brought back."),
          t("Delete"),
          { danger: true },
        );
        if (!yes) return;
        context.leaving();
        done(await call("Delete", { target, forever: true }), t("deleted for good"));
      }),
    notJunk: () =>
      act(async (target) => {
        done(await setFlags(target, ["notjunk"], ["junk"]), t("marked as not junk"));
      }),
    flags: (add, remove) =>
      act(async (target) => {
        const d = await setFlags(target, add, remove);
        if (d.undo !== null) lastUndo = d.undo;
      }),
    label: () =>
      act(async (target) => {
        const text = await promptDialog(
          t("Keywords"),
          t("Keywords to add, with a minus in front to remove; separated by blanks"),
          "",
          t("Set"),
        );
        if (text === undefined) return;
        const words = text.split(/[\s,]+/).filter((w) => w !== "" && w !== "-");
        if (words.length === 0) return;
        const d = await call("FlagsSet", {
          target,
          add: [],
          remove: [],
          addKeywords: words.filter((w) => !w.startsWith("-")),
          removeKeywords: words.filter((w) => w.startsWith("-")).map((w) => w.slice(1)),
        });
        done(d, t("changed"));
      }),
    move,
    moveMenu: (at) => {
      const target = context.target();
      if (target === undefined) return;
      openMenu(
        at,
        sortedMailboxes(context.mailboxes()).filter(({ mailbox }) => may(mailbox, "i")).map((
          { mailbox, depth },
        ) => ({
          text: `${"\u2003".repeat(depth)}${leafName(mailbox.name)}${
            mailbox.shared ? ` – ${mailbox.shared.owner}` : ""
          }`,
          title: mailbox.name,
          run: () => move(mailbox.id, target),
        })),
        t("Move to mailbox"),
      );
    },
    mute: (mute) =>
      act(async (target) => {
        await call("ThreadMute", { target, mute });
        notice(
          mute
            ? t("Thread muted: new messages in it are marked as read.")
            : t("Thread is no longer muted."),
        );
      }),
    snoozeMenu: (at) => {
      const target = context.target();
      if (target === undefined) return;
      const put = (until: number) =>
        attempt(async () => {
          const chosen = await target;
          context.leaving();
          const d = await call("Snooze", { target: chosen, until });
          done(d, t("put away until {0}", plannedDate(until)));
        });
      openMenu(
        at,
        [
          ...snoozeTimes().map((t) => ({
            text: t.text,
            title: plannedDate(t.at),
            run: () => put(t.at),
          })),
          {
            text: t("Another time…"),
            run: () =>
              askTime(
                t("Snooze"),
                t("Back at"),
                t("The messages are in Snoozed until then."),
                null,
                put,
              ),
          },
        ],
        t("Snooze until"),
      );
    },
    undo,
  };
}
