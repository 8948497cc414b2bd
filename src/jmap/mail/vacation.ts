/** The vacation reply in JMAP (RFC 8621 §8): the account page's setting, and its HTML version. @module */
import { createHash } from "node:crypto";
import {
  maxVacationText,
  readVacation,
  type Vacation,
  vacationSetting,
} from "../../delivery/vacation.ts";
import type { Account } from "../../store/account/account.ts";
import { accountSetting, changeAccountSetting } from "../../store/account/settings.ts";
import { forgetVacationReplies } from "../../store/account/vacation_replies.ts";
import { invalidProperties } from "../core/errors.ts";
import { dateMs, utcDateOf } from "../core/types.ts";
import { textOfHtml } from "./snippets.ts";

/** Name of the account setting with the HTML, and the text derived from it. */
const htmlSetting = "vacationHtml";
/** The reply if no text is given. */
const presetText = "I am away, and will read your message when I am back.\n";

export const vacationProperties = [
  "id",
  "isEnabled",
  "fromDate",
  "toDate",
  "subject",
  "textBody",
  "htmlBody",
];

interface Html {
  html: string | null;
  /** The text of the setting if it was derived, not given by the client. */
  madeText: string | null;
}

function html(account: Account): Html {
  const stored = accountSetting(account, htmlSetting) as Partial<Html> | undefined;
  return {
    html: typeof stored?.html === "string" ? stored.html : null,
    madeText: typeof stored?.madeText === "string" ? stored.madeText : null,
  };
}

/** The singleton. */
export function vacationObject(account: Account): Record<string, unknown> {
  const v = readVacation(accountSetting(account, vacationSetting));
  const h = html(account);
  return {
    id: "singleton",
    isEnabled: v.enabled,
    fromDate: v.from === null ? null : utcDateOf(v.from),
    toDate: v.until === null ? null : utcDateOf(v.until),
    subject: v.subject === "" ? null : v.subject,
    textBody: v.text === "" || v.text === h.madeText ? null : v.text,
    htmlBody: h.html,
  };
}

export function vacationState(account: Account): string {
  return createHash("sha256").update(JSON.stringify(vacationObject(account))).digest("hex")
    .slice(0, 16);
}

/** Replaces it by a client's changed object. @throws SetError invalidProperties */
export async function changeVacation(
  account: Account,
  o: Record<string, unknown>,
): Promise<void> {
  const bad: string[] = [];
  const text = (name: string, most: number): string | null => {
    const value = o[name] ?? null;
    if (value !== null && (typeof value !== "string" || value.length > most)) bad.push(name);
    return typeof value === "string" ? value : null;
  };
  const date = (name: string): number | null => {
    const value = o[name] ?? null;
    if (value === null) return null;
    const ms = typeof value === "string" && value.endsWith("Z") ? dateMs(value) : undefined;
    if (ms === undefined) bad.push(name);
    return ms ?? null;
  };
  const [from, until] = [date("fromDate"), date("toDate")];
  const subject = text("subject", 500);
  const textBody = text("textBody", maxVacationText);
  const htmlBody = text("htmlBody", 4 * maxVacationText);
  if (typeof o.isEnabled !== "boolean") bad.push("isEnabled");
  const unknown = Object.keys(o).filter((k) => !vacationProperties.includes(k));
  bad.push(...unknown);
  if (o.id !== "singleton") bad.push("id");
  if (bad.length > 0) throw invalidProperties(bad, `can't be so: ${bad.join(", ")}`);
  if (from !== null && until !== null && until <= from) {
    throw invalidProperties(["toDate"], "the end must be after the beginning");
  }
  const made = htmlBody === null ? presetText : textOfHtml(htmlBody).slice(0, maxVacationText);
  const before = readVacation(accountSetting(account, vacationSetting));
  const vacation: Vacation = {
    enabled: o.isEnabled as boolean,
    subject: subject ?? "",
    text: textBody ?? made,
    from,
    until,
    days: before.days,
  };
  const kept: Html = { html: htmlBody, madeText: textBody === null ? made : null };
  await changeAccountSetting(account, htmlSetting, () => kept);
  await changeAccountSetting(account, vacationSetting, () => vacation);
  await forgetVacationReplies(account);
}
