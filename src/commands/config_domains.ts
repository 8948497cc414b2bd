/** `mox config domain`, `account`, `address` and `alias`. @module */
import { adminCommand } from "./admin_call.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./command.ts";

const changes =
  `The change is written to domains.conf, with its comments kept, and in force at once.`;

/** Options of an alias as flags: "true", "false", or "" for unchanged. */
const aliasFlags = { postpublic: "", listmembers: "", allowmsgfrom: "" };

function aliasOptions(flags: typeof aliasFlags): { [name: string]: boolean } {
  const options: { [name: string]: boolean } = {};
  const names = {
    postpublic: "postPublic",
    listmembers: "listMembers",
    allowmsgfrom: "allowMsgFrom",
  } as const;
  for (const flag of Object.keys(aliasFlags) as (keyof typeof aliasFlags)[]) {
    const value = flags[flag];
    if (value === "") continue;
    if (value !== "true" && value !== "false") {
      throw new UsageError(`-${flag} is true or false, not ${JSON.stringify(value)}`);
    }
    options[names[flag]] = value === "true";
  }
  return options;
}

const aliasFlagsUsage = "[-postpublic bool] [-listmembers bool] [-allowmsgfrom bool]";
const aliasFlagsHelp = `
  -postpublic     true: anybody may write to it, not just members
  -listmembers    true: members may see who the members are
  -allowmsgfrom   true: members may send messages with its address`;

const domainCommands: Command[] = [
  adminCommand({
    name: "config domain add",
    trial: true,
    usage: "[-disabled] domain account [localpart]",
    summary: "Add a domain, with new DKIM keys",
    help: `
Adds a domain, with new DKIM keys, addresses for DMARC and TLS reports whose mail goes to the account, and
an MTA-STS policy if a listener serves those. "config dnsrecords" then prints what belongs in its zone.
With a localpart the account gets that address at the domain; an account that is not there yet is made.
${changes}

  -disabled   do not take mail for it yet`,
    flags: { disabled: false },
    min: 2,
    max: 3,
    toArgs: ([domain, account, localpart], { disabled }) => ({
      domain,
      account,
      localpart: localpart ?? "",
      disabled,
    }),
  }),
  adminCommand({
    name: "config domain rm",
    trial: true,
    usage: "domain",
    summary: "Remove a domain",
    help: `
Removes a domain: mail for it is refused from now on. Accounts must not have addresses there any more. The
files of its DKIM keys are kept in the folder dkim/old. ${changes}`,
    min: 1,
    toArgs: ([domain]) => ({ domain }),
  }),
  adminCommand({
    name: "config domain disable",
    trial: true,
    usage: "domain",
    summary: "Refuse mail for a domain for now",
    help: `Mail to and from the domain is refused with a temporary error. ${changes}`,
    min: 1,
    toArgs: ([domain]) => ({ domain }),
  }),
  adminCommand({
    name: "config domain enable",
    trial: true,
    usage: "domain",
    summary: "Take mail for a domain again",
    help: `Takes back "config domain disable". ${changes}`,
    min: 1,
    toArgs: ([domain]) => ({ domain }),
  }),
  adminCommand({
    name: "config domain list",
    usage: "",
    summary: "List domains",
    help: "Prints the domains, one on a line.",
    toArgs: () => ({}),
  }),
];

const accountCommands: Command[] = [
  adminCommand({
    name: "config account add",
    trial: true,
    usage: "account address",
    summary: "Add an account with an address",
    help: `
Adds an account with an address at one of the domains. Set its password with "setaccountpassword"; until
then nobody can log in. ${changes}`,
    min: 2,
    max: 2,
    toArgs: ([account, address]) => ({ account, address }),
  }),
  adminCommand({
    name: "config account rm",
    trial: true,
    usage: "account",
    summary: "Remove an account with all its mail",
    help: `
Removes an account with its addresses, and deletes its mail: at once, or when the last session that has it
open ends. ${changes}`,
    min: 1,
    toArgs: ([account]) => ({ account }),
  }),
  adminCommand({
    name: "config account disable",
    trial: true,
    usage: "account text",
    summary: "Stop logins to an account",
    help: `
Nobody can log in to the account any more; who tries is told the text. Mail for it still arrives.
${changes}`,
    min: 2,
    max: 2,
    toArgs: ([account, text]) => ({ account, text }),
  }),
  adminCommand({
    name: "config account enable",
    trial: true,
    usage: "account",
    summary: "Let an account log in again",
    help: `Takes back "config account disable". ${changes}`,
    min: 1,
    toArgs: ([account]) => ({ account }),
  }),
  adminCommand({
    name: "config account list",
    usage: "",
    summary: "List accounts",
    help: "Prints the accounts, one on a line.",
    toArgs: () => ({}),
  }),
];

const shown: Command[] = [
  adminCommand({
    name: "config account addresses",
    usage: "account",
    summary: "List the addresses of an account",
    help: "Prints the addresses of an account, one on a line; a catch-all as @domain.",
    min: 1,
    toArgs: ([account]) => ({ account }),
  }),
  adminCommand({
    name: "config address account",
    usage: "address",
    summary: "Print the account of an address",
    help:
      "Prints the account that gets the mail of an address, also of a variant of it or by a catch-all.",
    min: 1,
    toArgs: ([address]) => ({ address }),
  }),
  adminCommand({
    name: "config alias print",
    usage: "alias@domain",
    summary: "Print the settings and members of an alias",
    help: "Prints the options of an alias, and its members one on a line.",
    min: 1,
    toArgs: ([address]) => ({ address }),
  }),
];

const addressCommands: Command[] = [
  adminCommand({
    name: "config address add",
    trial: true,
    usage: "address account",
    summary: "Give an account one more address",
    help: `
Adds an address to an account. "@example.org" stands for all addresses of the domain that nobody has.
${changes}`,
    min: 2,
    max: 2,
    toArgs: ([address, account]) => ({ address, account }),
  }),
  adminCommand({
    name: "config address rm",
    trial: true,
    usage: "address",
    summary: "Take an address from its account",
    help: `Removes an address, also as a member of aliases. ${changes}`,
    min: 1,
    toArgs: ([address]) => ({ address }),
  }),
  adminCommand({
    name: "config address list",
    usage: "[account]",
    summary: "List addresses",
    help: "Prints addresses with their accounts, of all accounts or of one.",
    max: 1,
    toArgs: ([account]) => ({ account: account ?? "" }),
  }),
];

const aliasCommands: Command[] = [
  adminCommand({
    name: "config alias add",
    trial: true,
    usage: `${aliasFlagsUsage} alias@domain member@domain ...`,
    summary: "Add an alias, whose mail goes to several accounts",
    help: `
Adds an alias with its members, which are addresses of accounts here. ${changes}
${aliasFlagsHelp}`,
    flags: aliasFlags,
    min: 2,
    max: 1000,
    toArgs: ([address, ...members], flags) => ({ address, members, ...aliasOptions(flags) }),
  }),
  adminCommand({
    name: "config alias update",
    trial: true,
    usage: `${aliasFlagsUsage} alias@domain`,
    summary: "Change options of an alias",
    help: `Changes the options that are given. ${changes}\n${aliasFlagsHelp}`,
    flags: aliasFlags,
    min: 1,
    toArgs: ([address], flags) => ({ address, ...aliasOptions(flags) }),
  }),
  adminCommand({
    name: "config alias rm",
    trial: true,
    usage: "alias@domain",
    summary: "Remove an alias",
    help: `Removes an alias; its members stay as they are. ${changes}`,
    min: 1,
    toArgs: ([address]) => ({ address }),
  }),
  adminCommand({
    name: "config alias addaddr",
    trial: true,
    usage: "alias@domain member@domain ...",
    summary: "Add members to an alias",
    help: `Adds members. ${changes}`,
    min: 2,
    max: 1000,
    toArgs: ([address, ...members]) => ({ address, members }),
  }),
  adminCommand({
    name: "config alias rmaddr",
    trial: true,
    usage: "alias@domain member@domain ...",
    summary: "Take members out of an alias",
    help: `Removes members; at least one must be left. ${changes}`,
    min: 2,
    max: 1000,
    toArgs: ([address, ...members]) => ({ address, members }),
  }),
  adminCommand({
    name: "config alias list",
    usage: "domain",
    summary: "List the aliases of a domain",
    help: "Prints the aliases of a domain with their members and options.",
    min: 1,
    toArgs: ([domain]) => ({ domain }),
  }),
];

export const configDomainCommands: readonly Command[] = [
  ...domainCommands,
  ...accountCommands,
  ...addressCommands,
  ...shown,
  ...aliasCommands,
];
