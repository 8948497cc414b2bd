/** `mox localserve`. @module */
import { resolve } from "node:path";
import {
  loadLocalserve,
  localserveAccount,
  localserveAddress,
  localserveAdminPassword,
  localservePassword,
} from "../config/mod.ts";
import { Log, setLevel } from "../log/mod.ts";
import { onShutdown } from "../platform/signals.ts";
import { writeStdout } from "../platform/stdio.ts";
import { forgoForeignFunctions } from "../platform/users.ts";
import { controlAnswers } from "../serve/control/control.ts";
import { setAccountPassword } from "../serve/logins.ts";
import { type Endpoint, MailServer } from "../serve/server.ts";
import { Accounts } from "../store/account/accounts.ts";
import { accountRules } from "../serve/rules.ts";
import { hashPassword } from "../store/logins/password.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { defaultLocalserveDir } from "./datadir.ts";

export const localserve: Command = {
  name: "localserve",
  usage: "localserve [-dir folder] [-ip address] [-ports offset] [-initonly]",
  summary: "Run a mail server for developers on this machine",
  help: `
Starts a mail server on loopback with the standard ports + 1000. It takes mail for every address, and
what is sent never leaves: it is delivered to itself. Account "mox@localhost", password "moxmoxmox";
admin password "moxadmin". The data folder is made at the first start.

  -dir       folder for configuration and data; default is in your configuration folder
  -ip        address to listen on, in place of loopback
  -ports     number added to each port, to run several side by side
  -initonly  make the folder and stop

Addresses whose localpart ends in "temperror", "permerror", a code such as "451" or "550", or "timeout"
misbehave as asked: when the message is given, at MAIL FROM if the localpart of the sender starts with
"mailfrom", at RCPT TO if that of a recipient starts with "rcptto", or in the queue if it starts with
"queue".`,
  async run(args) {
    const { flags } = parseFlags(args, { dir: "", ip: "", ports: "0", initonly: false });
    const portOffset = Number(flags.ports);
    if (!Number.isInteger(portOffset) || portOffset < 0 || portOffset > 60_000) {
      throw new UsageError(`-ports is a number from 0 to 60000, not ${flags.ports}`);
    }
    const dir = resolve(flags.dir === "" ? defaultLocalserveDir() : flags.dir);
    const { config, created } = await loadLocalserve({
      dir,
      ip: flags.ip === "" ? undefined : flags.ip,
      portOffset,
      adminPasswordHash: () => hashPassword(localserveAdminPassword),
    });
    for (const [pkg, level] of config.static.PackageLogLevels) setLevel(pkg, level as "info");
    if (flags.initonly) {
      if (await controlAnswers(config.dataDir)) throw new Error(`a server is running in ${dir}`);
      const accounts = new Accounts(
        config.dataPath("accounts"),
        new Log("store"),
        (name) => accountRules(config, name),
      );
      await ensurePassword(accounts);
      await accounts.closeAll();
      writeStdout(`${created ? "made" : "found"} ${dir}\n`);
      return;
    }
    const server = await MailServer.start({ config, local: true, prepare: ensurePassword });
    await forgoForeignFunctions();
    const stopListening = onShutdown(() => {
      server.stop();
    });
    writeStdout(welcome(dir, server.endpoints));
    await server.stopped;
    stopListening();
  },
};

/** Gives the account its well-known password if it has none. */
async function ensurePassword(accounts: Accounts): Promise<void> {
  const account = await accounts.open(localserveAccount);
  const has = account.credentials.hasPassword;
  account.close();
  if (!has) await setAccountPassword(accounts, localserveAccount, localservePassword);
}

function welcome(dir: string, endpoints: readonly Endpoint[]): string {
  const byProtocol = new Map<string, string[]>();
  for (const e of endpoints) {
    const host = e.hostname.includes(":") ? `[${e.hostname}]` : e.hostname;
    byProtocol.set(e.protocol, [...byProtocol.get(e.protocol) ?? [], `${host}:${e.port}`]);
  }
  const width = Math.max(...[...byProtocol.keys()].map((k) => k.length));
  const lines = [...byProtocol].map(([k, v]) => `  ${k.padEnd(width)}  ${v.join("  ")}`);
  return `
mox localserve is running, with its data in ${dir}

${lines.join("\n")}

Log in as ${localserveAddress} with password ${localservePassword}. Mail to any address arrives in that
account, and mail you send is delivered to it: nothing leaves this machine. Ctrl-C stops the server.
`;
}
