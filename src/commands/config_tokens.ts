/** `mox config admintoken` and `config domain admins`. @module */
import { adminScopes } from "../admin/mod.ts";
import { adminCommand } from "./admin_call.ts";
import { type Command, UsageError } from "./command.ts";

/** Default validity of a token in days. */
const defaultDays = "90";

export const configTokenCommands: readonly Command[] = [
  adminCommand({
    name: "config admintoken add",
    usage: "[-domains list] [-days number] name scope ...",
    summary: "Make a token of the admin API",
    help: `
Prints a token with which a program can call the admin API, at /admin/api/ of listeners with the admin page. It is shown
this once. Scopes say what it may do, and write includes read: ${adminScopes.join(", ")}.

  -domains list    only these domains and their accounts, with commas between them; without it all
  -days number     how long the token is good, 1 to 3650 (default: ${defaultDays})`,
    flags: { domains: "", days: defaultDays },
    min: 2,
    max: 1 + adminScopes.length,
    toArgs([name, ...scopes], { domains, days }) {
      if (!/^[0-9]{1,4}$/.test(days)) throw new UsageError(`-days is a number, not ${days}`);
      const list = domains.split(",").map((d) => d.trim()).filter((d) => d !== "");
      return { name, scopes, domains: list, days: Number(days) };
    },
  }),
  adminCommand({
    name: "config admintoken list",
    usage: "",
    summary: "List the tokens of the admin API",
    help: "Prints name, scopes, domains, the day it ends and the last use of each.",
    toArgs: () => ({}),
  }),
  adminCommand({
    name: "config admintoken rm",
    usage: "name",
    summary: "Withdraw a token of the admin API",
    help: "The token is refused from then on.",
    min: 1,
    toArgs: ([name]) => ({ name }),
  }),
  adminCommand({
    name: "config domain admins",
    usage: "[-set list] domain",
    summary: "Show or name the administrators of a domain",
    help: `
Prints the accounts that administer a domain: they log in to the admin page with their own address and password, and see
and change the domain and its accounts only.

  -set list   name these accounts in place of those before, with commas between them; "none" for nobody`,
    flags: { set: "" },
    min: 1,
    toArgs([domain], { set }) {
      const accounts = set === "none" ? [] : set.split(",").map((a) => a.trim());
      return { domain, accounts: set === "" ? null : accounts };
    },
  }),
];
