/** Actions in words, for people. @module */
import type { Action, Filing } from "./types.ts";

function filingText(f: Filing): string {
  const flags = f.flags && f.flags.length > 0 ? ` with ${f.flags.join(" ")}` : "";
  const where = f.specialUse === undefined ? "" : ` (the mailbox for ${f.specialUse})`;
  return `${f.mailbox}${where}${flags}`;
}

/** What an action does, such as "file into Lists with \\Seen". */
export function actionText(a: Action): string {
  switch (a.kind) {
    case "keep": {
      const flags = a.flags && a.flags.length > 0 ? ` with ${a.flags.join(" ")}` : "";
      return `keep${flags}${a.edited ? ", changed" : ""}${a.implicit ? " (implicit)" : ""}`;
    }
    case "fileinto":
      return `file into ${filingText(a.filing)}${a.edited ? ", changed" : ""}`;
    case "redirect":
      return `send on to ${a.redirect.address}${a.edited ? ", changed" : ""}`;
    case "redirectToList":
      return `send on to the list ${a.list}`;
    case "discard":
      return "discard";
    case "reject":
      return `refuse: ${a.reason.replace(/\s+/g, " ").trim()}`;
    case "vacation":
      return `reply that the user is away, once in ${a.vacation.seconds} seconds`;
    case "notify":
      return `notify ${a.notification.method}`;
  }
}
