/** Login attempts as a table, for the account and admin pages. @module */
import { el, ipAddress } from "./dom.ts";
import { longDate, numberText, programName, shortDate } from "./format.ts";
import { table } from "./page.ts";
import { t } from "./text.ts";

/** What a row needs. */
interface Row {
  account?: string;
  login: string;
  service: string;
  mechanism: string;
  result: string;
  remoteIp: string;
  client: string;
  first: number;
  last: number;
  count: number;
}

const results: Record<string, string> = {
  ok: t("logged in"),
  badcreds: t("wrong name, password or code"),
  badprotocol: t("broke the protocol"),
  badchanbind: t("TLS of another"),
  disabled: t("login is disabled"),
  aborted: t("asked for a code"),
  error: t("error here"),
};

/** Newest first. */
export function attemptsTable(list: readonly Row[], withAccount: boolean): HTMLElement {
  return table(
    [
      ...withAccount ? [t("Account")] : [],
      t("Last"),
      t("Result"),
      t("Name"),
      t("Way"),
      t("From"),
      t("Program"),
      t("Times"),
    ],
    list.map((row) => [
      ...withAccount ? [row.account || t("none of that name")] : [],
      el(
        "span",
        { title: t("first {0}, last {1}", longDate(row.first), longDate(row.last)) },
        shortDate(row.last),
      ),
      el(
        "span",
        { class: row.result === "ok" ? "good" : row.result === "aborted" ? "" : "bad" },
        results[row.result] ?? row.result,
      ),
      row.login,
      el("span", { title: row.mechanism }, row.service),
      ipAddress(row.remoteIp),
      el("span", { title: row.client }, row.client === "" ? "" : programName(row.client)),
      numberText(row.count),
    ]),
    t("Nobody has tried to log in lately."),
  );
}
