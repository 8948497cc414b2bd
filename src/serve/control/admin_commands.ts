/**
 * Commands of the administrator that change or show the configuration: run by the server when requested
 * over the control socket, or by the subcommand itself if no server runs.
 *
 * @module
 */
import * as admin from "../../admin/mod.ts";
import { type Config, tryChange } from "../../config/mod.ts";
import { makeResolver } from "../../dns/mod.ts";
import { FactorFile } from "../../store/logins/factor_file.ts";
import { Sessions } from "../../web/login/mod.ts";
import { ControlError, type ControlHandler, type Json } from "./control.ts";
import { policyText } from "../../tlspolicy/sts_https.ts";
import type { AdminCommand, AdminContext, Arguments, Print } from "./admin_command.ts";
import { textArgument } from "./admin_command.ts";
import { accessCommands } from "./access_command.ts";
import { backupCommands } from "./backup_command.ts";
import { encryptionCommands } from "./encryption_command.ts";
import { keepingCommands } from "./keeping_commands.ts";
import { dnsCommands } from "./dns_commands.ts";
import { listCommands, listConfigCommands } from "./list_commands.ts";
import { maintenanceCommands } from "./maintenance_commands.ts";
import { movingCommands } from "./moving_commands.ts";
import { movingMailCommands } from "./moving_mail.ts";
import { transferCommands } from "./transfer_commands.ts";
import { setAccountPassword } from "../logins.ts";
import { tlsKeyCommands } from "./tls_key_commands.ts";
import { tokenCommands } from "./token_commands.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { looksLikeHash, parsePasswordHash } from "../../store/logins/password_hash.ts";

function listArgument(args: Arguments, name: string): string[] {
  const value = args[name];
  if (!Array.isArray(value) || !value.every((v) => typeof v === "string")) {
    throw new ControlError(`${name} is missing`);
  }
  return value as string[];
}

function aliasOptions(args: Arguments): admin.AliasOptions {
  const flag = (name: string) =>
    typeof args[name] === "boolean" ? args[name] as boolean : undefined;
  return {
    postPublic: flag("postPublic"),
    listMembers: flag("listMembers"),
    allowMsgFrom: flag("allowMsgFrom"),
  };
}

const text = textArgument;

const configCommands: Record<string, AdminCommand> = {
  async "domain add"({ config, accounts }, args) {
    const domain = text(args, "domain");
    const account = text(args, "account");
    const localpart = typeof args.localpart === "string" ? args.localpart : "";
    const there = config.account(account) !== undefined;
    // Reports go to an account with an address at the domain; to the postmaster's until there is one.
    const first = there || localpart === "" ? account : config.static.Postmaster.Account;
    await admin.addDomain(config, domain, { account: first, disabled: args.disabled === true });
    if (localpart === "") return;
    const address = `${localpart}@${domain}`;
    if (there) await admin.addAddress(config, address, account);
    else await admin.addAccount(config, accounts, account, address);
  },
  "domain rm": ({ config }, args) => admin.removeDomain(config, text(args, "domain")),
  "domain disable": ({ config }, args) =>
    admin.setDomainDisabled(config, text(args, "domain"), true),
  "domain enable": ({ config }, args) =>
    admin.setDomainDisabled(config, text(args, "domain"), false),
  async "domain list"({ config }, _args, print) {
    for (const [name, d] of config.dynamic.Domains) {
      print(`${name}${d.Disabled ? " (disabled)" : ""}\n`);
    }
    await Promise.resolve();
  },
  "account add": ({ config, accounts }, args) =>
    admin.addAccount(config, accounts, text(args, "account"), text(args, "address")),
  async "account rm"({ config, accounts }, args, print) {
    const gone = await admin.removeAccount(config, accounts, text(args, "account"));
    if (!gone) print("its mail is deleted when the last session that has it open ends\n");
  },
  "account disable": ({ config }, args) =>
    admin.disableLogin(config, text(args, "account"), text(args, "text")),
  "account enable": ({ config }, args) => admin.enableLogin(config, text(args, "account")),
  async "account list"({ config }, _args, print) {
    for (const [name, a] of config.dynamic.Accounts) {
      const state = a.LoginDisabled === "" ? "" : ` (login disabled: ${a.LoginDisabled})`;
      print(`${name}${state}\n`);
    }
    await Promise.resolve();
  },
  async "account addresses"({ config }, args, print) {
    const account = text(args, "account");
    if (!config.account(account)) throw new ControlError(`no account ${account}`);
    for (const address of config.accountAddresses(account)) print(`${address}\n`);
    await Promise.resolve();
  },
  async "address account"({ config }, args, print) {
    const address = text(args, "address");
    const at = address.lastIndexOf("@");
    const found = config.lookupAddress(address.slice(0, at), address.slice(at + 1), {
      disabledDomains: true,
    });
    if (at < 0 || found.kind !== "account") {
      throw new ControlError(`${address} is not an address of an account`);
    }
    print(`${found.account}\n`);
    await Promise.resolve();
  },
  async "alias print"({ config }, args, print) {
    const address = text(args, "address");
    const at = address.lastIndexOf("@");
    const found = config.lookupAddress(address.slice(0, at), address.slice(at + 1), {
      disabledDomains: true,
    });
    if (at < 0 || found.kind !== "alias") throw new ControlError(`no alias ${address}`);
    const { alias } = found;
    print(`# postpublic ${alias.PostPublic}\n# listmembers ${alias.ListMembers}\n`);
    print(`# allowmsgfrom ${alias.AllowMsgFrom}\n`);
    for (const member of alias.Addresses) print(`${member}\n`);
    await Promise.resolve();
  },
  "address add": ({ config }, args) =>
    admin.addAddress(config, text(args, "address"), text(args, "account")),
  "address rm": ({ config }, args) => admin.removeAddress(config, text(args, "address")),
  async "address list"({ config }, args, print) {
    for (const [name] of config.dynamic.Accounts) {
      if (typeof args.account === "string" && args.account !== "" && args.account !== name) {
        continue;
      }
      for (const address of config.accountAddresses(name)) print(`${address} ${name}\n`);
    }
    await Promise.resolve();
  },
  "alias add": ({ config }, args) =>
    admin.addAlias(
      config,
      text(args, "address"),
      listArgument(args, "members"),
      aliasOptions(args),
    ),
  "alias update": ({ config }, args) =>
    admin.updateAlias(config, text(args, "address"), aliasOptions(args)),
  "alias rm": ({ config }, args) => admin.removeAlias(config, text(args, "address")),
  "alias addaddr": ({ config }, args) =>
    admin.addAliasMembers(config, text(args, "address"), listArgument(args, "members")),
  "alias rmaddr": ({ config }, args) =>
    admin.removeAliasMembers(config, text(args, "address"), listArgument(args, "members")),
  async "alias list"({ config }, args, print) {
    const entry = config.domain(text(args, "domain"));
    if (!entry) throw new ControlError(`no domain ${args.domain}`);
    for (const [localpart, a] of entry.config.Aliases) {
      const options = [
        a.PostPublic && "anybody may post",
        a.ListMembers && "members see each other",
        a.AllowMsgFrom && "members may send as it",
      ].filter(Boolean);
      print(
        `${localpart}@${entry.name.unicode}: ${a.Addresses.join(", ")}${
          options.length > 0 ? ` (${options.join(", ")})` : ""
        }\n`,
      );
    }
    await Promise.resolve();
  },
  ...listConfigCommands,
  async dnscheck({ config, outbound }, args, print) {
    const domain = text(args, "domain");
    const resolver = makeResolver();
    const check = await admin.checkDomainDns(config, domain, {
      resolver,
      fetchPolicy: outbound && ((name) => policyText(outbound, name)),
    });
    print(admin.formatDomainCheck(check));
    return { errors: check.parts.filter((p) => p.state === "error").length };
  },
  async dnsrecords({ config }, args, print) {
    print(admin.formatZone(await admin.domainRecords(config, text(args, "domain"))));
  },
};

/** Sets a password by the hash that another server has stored. */
async function setHash(accounts: Accounts, name: string, hash: string): Promise<void> {
  if (parsePasswordHash(hash) === undefined) {
    throw new ControlError("the hash is of a kind that can't be verified here");
  }
  const account = await accounts.open(name);
  try {
    await account.credentials.setPasswordHash(hash);
  } finally {
    account.close();
  }
}

/** Ends web sessions; "" is the administrator. Also sessions left by a server that is not running. */
async function endSessions(config: Config, account: string): Promise<void> {
  const sessions = await Sessions.open(config.dataDir);
  try {
    sessions.endAll(account);
  } finally {
    await sessions.close();
  }
}

/** Commands on passwords. */
const passwordCommands: Record<string, AdminCommand> = {
  async setaccountpassword({ config, accounts }, args) {
    const account = text(args, "account");
    const password = text(args, "password");
    if (!config.account(account)) throw new ControlError(`no account ${account}`);
    if (args.hash === true) {
      await setHash(accounts, account, password.trim());
      return await endSessions(config, account);
    }
    if (args.plain !== true && looksLikeHash(password)) {
      throw new ControlError(
        "what was given looks like the hash of a password: set it with -hash, or with -plain if it is the password itself",
      );
    }
    if (password.length < 8) throw new ControlError("a password has at least 8 characters");
    await setAccountPassword(accounts, account, password);
    await endSessions(config, account);
  },
  async setadminpassword({ config }, args) {
    await admin.writeAdminPassword(config, text(args, "password"));
    if (args.noSecondFactor === true) await new FactorFile(config.dataDir).disable();
    await endSessions(config, "");
  },
};

/** Prints what a command would change in domains.conf. */
async function tried(run: () => Promise<unknown>, print: Print): Promise<null> {
  const would = await tryChange(run);
  const changes = admin.auditChanges(would?.before, would?.after);
  for (const c of changes) print(`${c.what}: ${c.before || "–"} -> ${c.after || "–"}\n`);
  if (changes.length === 0) print("nothing would change\n");
  return null;
}

/** A command that changes nothing but domains.conf, with dry runs. */
function withTrial(command: AdminCommand): AdminCommand {
  return (context, args, print, signal) => {
    const run = async () => await command(context, args, print, signal);
    return args.dryRun === true ? tried(run, print) : run();
  };
}

/** All of them, by their names on the control socket. */
export const adminCommands: ReadonlyMap<string, AdminCommand> = new Map([
  ...Object.entries({ ...configCommands, ...keepingCommands })
    .map(([name, c]) => [`config ${name}`, withTrial(c)] as const),
  ...Object.entries(tlsKeyCommands).map(([name, c]) => [`config ${name}`, c] as const),
  ...Object.entries(dnsCommands).map(([name, c]) => [`config ${name}`, c] as const),
  ...Object.entries(tokenCommands).map(([name, c]) => [`config ${name}`, c] as const),
  ...Object.entries(passwordCommands),
  ...Object.entries(encryptionCommands),
  ...Object.entries(maintenanceCommands),
  ...Object.entries(listCommands),
  ...Object.entries(accessCommands),
  ...Object.entries(backupCommands),
  ...Object.entries(transferCommands),
  ...Object.entries(movingCommands),
  ...Object.entries(movingMailCommands),
]);

/** Commands with dry runs; those for lists of users and aliases have their own. */
const triable: ReadonlySet<string> = new Set([
  ...Object.keys({ ...configCommands, ...keepingCommands }).map((name) => `config ${name}`),
  ...Object.keys(movingCommands),
  "import cyrus",
]);

/** Runs a command. @throws ControlError, AdminError with a message for the administrator */
export async function runAdminCommand(
  context: AdminContext,
  name: string,
  args: Json,
  print: Print,
  signal?: AbortSignal,
): Promise<Json> {
  const command = adminCommands.get(name);
  if (!command) throw new ControlError(`no command ${name}`);
  const given = (args ?? {}) as Arguments;
  if (given.dryRun === true && !triable.has(name)) {
    throw new ControlError(`${name} has no dry run`);
  }
  return await command(context, given, print, signal) ?? null;
}

/** The commands as handlers of the control socket. */
export function adminHandlers(context: AdminContext): [string, ControlHandler][] {
  return [...adminCommands.keys()].map((name) => [name, async (args, print, signal) => {
    try {
      return await runAdminCommand(context, name, args, print, signal);
    } catch (err) {
      // A mistake of the administrator, not an error to log.
      if (err instanceof admin.AdminError) throw new ControlError(err.message, { cause: err });
      throw err;
    }
  }]);
}
