/** Attempts to log in as a table, for both pages. @module */
import { el } from "./dom.ts";
import { longDate, numberText, programName, shortDate } from "./format.ts";
import { table } from "./page.ts";

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
  ok: "logged in",
  badcreds: "wrong name, password or code",
  badprotocol: "broke the protocol",
  badchanbind: "TLS of another",
  disabled: "login is disabled",
  aborted: "asked for a code",
  error: "error here",
};

/** The last first. */
export function attemptsTable(list: readonly Row[], withAccount: boolean): HTMLElement {
  return table(
    [
      ...withAccount ? ["Account"] : [],
      "Last",
      "Result",
      "Name",
      "Way",
      "From",
      "Program",
      "Times",
    ],
    list.map((row) => [
      ...withAccount ? [row.account || "none of that name"] : [],
      el(
        "span",
        { title: `first ${longDate(row.first)}, last ${longDate(row.last)}` },
        shortDate(row.last),
      ),
      el(
        "span",
        { class: row.result === "ok" ? "good" : row.result === "aborted" ? "" : "bad" },
        results[row.result] ?? row.result,
      ),
      row.login,
      el("span", { title: row.mechanism }, row.service),
      row.remoteIp,
      el("span", { title: row.client }, row.client === "" ? "" : programName(row.client)),
      numberText(row.count),
    ]),
    "Nobody has tried to log in lately.",
  );
}
