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
    list.map((a) => [
      ...withAccount ? [a.account || "none of that name"] : [],
      el(
        "span",
        { title: `first ${longDate(a.first)}, last ${longDate(a.last)}` },
        shortDate(a.last),
      ),
      el(
        "span",
        { class: a.result === "ok" ? "good" : a.result === "aborted" ? "" : "bad" },
        results[a.result] ?? a.result,
      ),
      a.login,
      el("span", { title: a.mechanism }, a.service),
      a.remoteIp,
      el("span", { title: a.client }, a.client === "" ? "" : programName(a.client)),
      numberText(a.count),
    ]),
    "Nobody has tried to log in lately.",
  );
}
