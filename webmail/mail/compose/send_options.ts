/** When and how a message is sent: the dialog that asks for it. @module */
import { openDialog } from "../../lib/dialog.ts";
import { el, field } from "../../lib/dom.ts";
import { longDate } from "../../lib/format.ts";

export interface SendOptions {
  /** Milliseconds since 1970; null: at once. */
  sendAt: number | null;
  /** REQUIRETLS on all of the way, or TLS-Required: No; null: as usual. */
  requireTls: boolean | null;
}

/** In words; "" for the usual ones. */
export function sendOptionsText({ sendAt, requireTls }: SendOptions): string {
  return [
    sendAt === null ? "" : `To be sent ${longDate(sendAt)}.`,
    requireTls === null ? "" : requireTls ? "Verified TLS required." : "TLS not required.",
  ].filter((s) => s !== "").join(" ");
}

/** Asks for options, beginning with those there are. */
export function openSendOptions(now: SendOptions, onSet: (o: SendOptions) => void): void {
  const when = el("input", { type: "datetime-local" });
  const tls = el(
    "select",
    {},
    [["", "As usual"], ["yes", "Only with verified TLS"], ["no", "Even without TLS"]].map((
      [v, t],
    ) =>
      el("option", {
        value: v,
        selected: v === (now.requireTls === null ? "" : now.requireTls ? "yes" : "no"),
      }, t)
    ),
  );
  const dialog = openDialog(
    "Send options",
    el(
      "form",
      {
        onsubmit: (e: Event) => {
          e.preventDefault();
          const at = when.value === "" ? null : new Date(when.value).getTime();
          onSet({
            sendAt: at !== null && at > Date.now() ? at : null,
            requireTls: tls.value === "" ? null : tls.value === "yes",
          });
          dialog.close();
        },
      },
      field("Send at", when, "Not before this time. Empty: at once."),
      field(
        "Encryption",
        tls,
        "Whether all servers on the way must use verified TLS (REQUIRETLS).",
      ),
      el("div", { class: "buttons" }, el("button", { type: "submit", class: "primary" }, "Set")),
    ),
  );
}
