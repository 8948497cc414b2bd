/**
 * What a message contains besides its text: an invitation, a list to unsubscribe from, encryption or a signature.
 * @module
 */
import { call } from "../../api/client.ts";
import type { CheckedSignature, Invitation, ParsedMessage } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog } from "../../lib/dialog.ts";
import { type Child, el, fill } from "../../lib/dom.ts";
import { alertUser, attempt, errorText, notice } from "../../lib/notify.ts";
import { safeText } from "../../lib/scripts.ts";
import { locale, t } from "../../lib/text.ts";

const day = new Intl.DateTimeFormat(locale(), { dateStyle: "full", timeZone: "UTC" });
const dayTime = new Intl.DateTimeFormat(locale(), { dateStyle: "full", timeStyle: "short" });

/** Start and end, in the reader's zone. */
function when({ start, end, allDay }: Invitation): string {
  if (!allDay) return dayTime.formatRange(start, Math.max(start, end));
  // An all-day event ends on the day after its last (RFC 5545 §3.6.1).
  return day.formatRange(start, Math.max(start, end - 1));
}

const statusWords: Record<string, string> = {
  accepted: t("accepted"),
  declined: t("declined"),
  tentative: t("perhaps"),
  "needs-action": t("not answered"),
  delegated: t("sends someone else"),
};

/** The event in a message, with buttons to answer. */
export function invitationCard(message: ParsedMessage): HTMLElement | null {
  const event = message.invitation;
  if (event === null) return null;
  const cancelled = event.cancelled || event.method === "cancel";
  const status = el("span", { class: "invitation-status", role: "status" });
  const answers = [
    ["accepted", t("Accept")],
    ["tentative", t("Perhaps")],
    ["declined", t("Decline")],
  ] as const;
  const buttons = answers.map(([answer, text]) =>
    [
      answer,
      button(text, () =>
        attempt(async () => {
          const { warnings } = await call("InvitationAnswer", { id: message.item.id, answer });
          for (const w of warnings) alertUser(w);
          if (message.invitation?.me) message.invitation.me.status = answer;
          draw();
          notice(t("The organiser gets your answer."));
        })),
    ] as const
  );
  function draw(): void {
    const now = event?.me?.status;
    for (const [answer, b] of buttons) b.setAttribute("aria-pressed", String(answer === now));
    fill(status, now === undefined ? "" : t("You: {0}", statusWords[now] ?? now));
  }
  draw();
  const canAnswer = event.me !== null && event.method === "request" && !cancelled &&
    event.organizer !== null;
  const row = (name: string, ...value: Child[]) => [el("dt", {}, name), el("dd", {}, value)];
  const people = event.attendees.map((a) =>
    `${a.name || a.address} (${statusWords[a.status] ?? a.status})`
  );
  return el(
    "section",
    { class: "card invitation", "aria-label": t("Invitation") },
    el(
      "h2",
      { dir: "auto" },
      cancelled ? el("span", { class: "label" }, t("cancelled")) : null,
      safeText(event.summary || t("(no title)")),
    ),
    el(
      "dl",
      { class: "message-fields" },
      row(t("When"), when(event), event.recurring ? t(", and again") : ""),
      event.location === "" ? null : row(t("Where"), ...safeText(event.location)),
      event.organizer === null
        ? null
        : row(t("From"), ...safeText(event.organizer.name || event.organizer.address)),
      people.length === 0 ? null : row(
        t("Invited"),
        ...safeText(people.slice(0, 12).join(", ")),
        people.length > 12 ? t(" and {0} more", people.length - 12) : "",
      ),
    ),
    event.description === ""
      ? null
      : el("p", { class: "invitation-text", dir: "auto" }, safeText(event.description)),
    canAnswer ? el("div", { class: "buttons-in-row" }, buttons.map(([, b]) => b), status) : null,
  );
}

/** A line about the message's mailing list, with a way to unsubscribe. */
export function unsubscribeLine(
  message: ParsedMessage,
  onCompose: (to: string) => void,
): HTMLElement | null {
  const u = message.listUnsubscribe;
  if (u === null) return null;
  const from = message.item.from[0]?.address ?? t("this list");
  const oneClick = u.oneClick && message.authentication?.dkim === "pass";
  const leave = () =>
    attempt(async () => {
      if (!oneClick) {
        if (u.url !== null) open(u.url, "_blank", "noopener,noreferrer");
        else if (u.mailto !== null) onCompose(u.mailto);
        return;
      }
      const yes = await confirmDialog(
        t("Unsubscribe"),
        t("The server asks {0} to send nothing more of {1}.", new URL(u.url!).host, from),
        t("Unsubscribe"),
      );
      if (!yes) return;
      await call("Unsubscribe", { id: message.item.id });
      notice(t("You are unsubscribed from {0}.", from));
    });
  return el(
    "p",
    { class: "list-line" },
    t("This comes from a mailing list. "),
    button(t("Unsubscribe"), leave, {
      title: oneClick
        ? t("Your server does it, without telling who reads this")
        : u.url !== null
        ? t("Opens {0}", new URL(u.url).host)
        : t("Writes to the list"),
      attributes: { class: "link" },
    }),
  );
}

const protections: Record<NonNullable<ParsedMessage["protection"]>, string> = {
  pgpEncrypted: t(
    "This message is encrypted with OpenPGP. It can be read with a mail program that has your key, " +
      "such as Thunderbird: open it there, or save it as .eml.",
  ),
  smimeEncrypted: t(
    "This message is encrypted with S/MIME. It can be read with a mail program that has your " +
      "certificate, such as Thunderbird or Apple Mail.",
  ),
  pgpSigned: t("This message has an OpenPGP signature, which is being checked."),
  smimeSigned: t("This message has an S/MIME signature, which is being checked."),
};

/**
 * A line about a message's encryption or signature; the result of checking the signature follows a moment later.
 */
export function protectionLine(message: ParsedMessage): HTMLElement | null {
  if (message.protection === null) return null;
  const line = el("p", { class: "protection" }, protections[message.protection]);
  if (message.protection === "pgpSigned" || message.protection === "smimeSigned") {
    line.setAttribute("role", "status");
    void showSignature(line, message.item.id);
  }
  return line;
}

async function showSignature(line: HTMLElement, id: number): Promise<void> {
  try {
    const s = await call("SignatureCheck", { id });
    line.classList.add(s.state);
    fill(line, signatureText(s));
    if (s.fingerprint !== "") line.title = t("Fingerprint {0}", s.fingerprint);
  } catch (e) {
    fill(line, t("The signature could not be checked: {0}", errorText(e)));
  }
}

function signatureText({ state, signer }: CheckedSignature): string {
  switch (state) {
    case "good":
      return t("Signed by {0}: the signature holds, and the key is known.", signer);
    case "held":
      return t(
        "The signature holds, but nobody you know vouches for the key, which says that it is of {0}.",
        signer,
      );
    case "other":
      return t("The signature holds, but it is by {0}, not by the sender.", signer);
    case "bad":
      return t("The signature does not hold: the message was changed after it was signed.");
    case "noKey":
      return t(
        "The message is signed with a key that isn't known here: add the key to the sender's contact.",
      );
    case "unknown":
      return t("The message is signed in a way that can't be checked here.");
  }
}
