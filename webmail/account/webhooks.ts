/** The section for webhooks. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { confirmDialog } from "../lib/dialog.ts";
import type { Section } from "../lib/frame.ts";
import { el } from "../lib/dom.ts";
import { longDate, shortDate } from "../lib/format.ts";
import { alertUser, attempt, notice } from "../lib/notify.ts";
import { facts, formDialog, part, secretDialog, table } from "../lib/page.ts";
import { accountCalls } from "./api.ts";
import { t } from "../lib/text.ts";

type Kind = "outgoing" | "incoming";

export function webhookSection(changed: () => Promise<void>): Section {
  return { id: "webhooks", title: t("Webhooks"), show: () => webhooks(changed) };
}

function test(kind: Kind): Promise<void> {
  return attempt(async () => {
    const r = await makeCall(accountCalls, "WebhookTest", { kind });
    if (r.error === "") notice(t("Answered with status {0} after {1} ms.", r.code, r.took));
    else alertUser(t("The call failed: {0}", r.error));
  });
}

function edit(
  kind: Kind,
  now: { url: string; hasAuthorization: boolean; events?: string[] } | null,
  events: readonly string[],
  changed: () => Promise<void>,
): void {
  formDialog(
    kind === "outgoing" ? t("Webhook for messages sent") : t("Webhook for messages that arrive"),
    [
      { name: "url", label: "URL", value: now?.url ?? "", required: true },
      {
        name: "authorization",
        label: now?.hasAuthorization
          ? t("Value of the header field Authorization (empty: as it is)")
          : t("Value of the header field Authorization"),
      },
      ...(kind === "outgoing"
        ? [{
          name: "events",
          label: t("Events, with blanks between them (empty: all of {0})", events.join(", ")),
          value: now?.events?.join(" ") ?? "",
        }]
        : []),
    ],
    t("Save"),
    async (form) => {
      const { url, authorization: typed } = form;
      const authorization = typed === "" ? null : typed;
      if (kind === "incoming") {
        await makeCall(accountCalls, "IncomingWebhookSet", { webhook: { url, authorization } });
      } else {
        const chosen = form.events.split(/[\s,]+/).filter((e) => e !== "");
        const wrong = chosen.find((e) => !events.includes(e));
        if (wrong !== undefined) throw new Error(t("There is no event {0}.", wrong));
        await makeCall(accountCalls, "OutgoingWebhookSet", {
          webhook: { url, authorization, events: chosen },
        });
      }
      await changed();
    },
  );
}

async function webhooks(changed: () => Promise<void>): Promise<HTMLElement[]> {
  const w = await makeCall(accountCalls, "Webhooks", {});
  const one = (kind: Kind, title: string, about: string) => {
    const set = w[kind];
    const remove = () =>
      attempt(async () => {
        if (!await confirmDialog(t("Webhook"), t("Call this URL no more?"), t("Remove"))) return;
        const name = kind === "outgoing" ? "OutgoingWebhookSet" : "IncomingWebhookSet";
        await makeCall(accountCalls, name, { webhook: null });
        await changed();
      });
    return part(
      title,
      el("p", { class: "muted" }, about),
      facts([
        ["URL", set?.url ?? t("not set")],
        ...(set ? [["Authorization", set.hasAuthorization ? t("set") : t("none")] as const] : []),
        ...(kind === "outgoing" && w.outgoing
          ? [[t("Events"), w.outgoing.events.join(", ") || t("all")] as const]
          : []),
      ]),
      el(
        "div",
        { class: "tools" },
        button(set ? t("Change") : t("Set"), () => edit(kind, set, w.events, changed)),
        set ? button(t("Call with an example"), () => test(kind)) : null,
        set ? button(t("Remove"), remove) : null,
      ),
    );
  };
  const act = (id: number, action: "now" | "cancel") =>
    attempt(async () => {
      await makeCall(accountCalls, "WebhookAct", { id, action });
      await changed();
    });
  return [
    one("outgoing", t("Messages sent"), t("Called for what becomes of messages that you send.")),
    one("incoming", t("Messages that arrive"), t("Called with each message that arrives by SMTP.")),
    part(
      t("Signature"),
      el(
        "p",
        { class: "muted" },
        t("Calls are signed, so that receivers know that they are real."),
      ),
      button(t("Show the key"), () =>
        secretDialog(
          t("Key of signatures"),
          t("X-Mox-Webhook-Signature has t=time and v1=HMAC-SHA-256 of time, a dot and the body."),
          w.secret,
        )),
    ),
    part(
      t("Calls"),
      table(
        [t("Event"), t("Subject"), t("Attempts"), t("State"), t("Time"), t("Last result"), ""],
        w.calls.map((c) => [
          c.event,
          c.subject,
          String(c.attempts),
          c.state,
          el("span", { title: longDate(c.time) }, shortDate(c.time)),
          c.last,
          c.state === "waits"
            ? el(
              "span",
              {},
              button(t("Now"), () => act(c.id, "now")),
              button(t("Cancel"), () => act(c.id, "cancel")),
            )
            : "",
        ]),
        t("No calls wait, and none are remembered."),
      ),
    ),
  ];
}
