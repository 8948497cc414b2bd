/** Actions in words, for people. @module */
import type { Action, Filing } from "./types.ts";

function filingText(filing: Filing): string {
  const flags = filing.flags && filing.flags.length > 0 ? ` with ${filing.flags.join(" ")}` : "";
  const where = filing.specialUse === undefined ? "" : ` (the mailbox for ${filing.specialUse})`;
  return `${filing.mailbox}${where}${flags}`;
}

/** A description of an action, such as "file into Lists with \\Seen". */
export function actionText(action: Action): string {
  switch (action.kind) {
    case "keep": {
      const flags = action.flags && action.flags.length > 0
        ? ` with ${action.flags.join(" ")}`
        : "";
      return `keep${flags}${action.edited ? ", changed" : ""}${
        action.implicit ? " (implicit)" : ""
      }`;
    }
    case "fileinto":
      return `file into ${filingText(action.filing)}${action.edited ? ", changed" : ""}`;
    case "redirect":
      return `send on to ${action.redirect.address}${action.edited ? ", changed" : ""}`;
    case "redirectToList":
      return `send on to the list ${action.list}`;
    case "discard":
      return "discard";
    case "reject":
      return `refuse: ${action.reason.replace(/\s+/g, " ").trim()}`;
    case "vacation":
      return `reply that the user is away, once in ${action.vacation.seconds} seconds`;
    case "notify":
      return `notify ${action.notification.method}`;
  }
}
