/** `mox localserve`. @module */
import { resolve } from "node:path";
import {
  type Config,
  loadLocalserve,
  localserveAccount,
  localserveAddress,
  localserveAdminPassword,
  localservePassword,
} from "../config/mod.ts";
import { Log, setLevel, setLogFormat } from "../log/mod.ts";
import { keepNothing } from "../platform/durability.ts";
import { makeMemoryFolder } from "../platform/memory_folder.ts";
import { onShutdown } from "../platform/signals.ts";
import { writeStdout } from "../platform/stdio.ts";
import { forgoForeignFunctions } from "../platform/users.ts";
import type { DeveloperOptions } from "../serve/catcher/developer.ts";
import { parseRelay, type Relay } from "../serve/catcher/release.ts";
import { controlAnswers } from "../serve/control/control.ts";
import { setAccountPassword } from "../serve/logins.ts";
import { hostPort } from "../platform/net.ts";
import { type Endpoint, MailServer } from "../serve/server.ts";
import { Faults, type ScenarioStep } from "../smtp/server/mod.ts";
import { Accounts } from "../store/account/accounts.ts";
import { accountRules } from "../serve/rules.ts";
import { parseScenario } from "../web/catcher/mod.ts";
import { hashPassword, stopPasswordWorker } from "../store/logins/password.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { defaultLocalserveDir } from "./datadir.ts";

const defaults = {
  dir: "",
  ip: "",
  hosts: "",
  ports: "0",
  initonly: false,
  strict: false,
  auth: false,
  login: false,
  accounts: false,
  memory: false,
  "max-messages": "",
  "max-age": "",
  relay: "",
  "relay-allow": "",
  scenario: "",
};

export const localserve: Command = {
  name: "localserve",
  usage: "localserve [flags]",
  summary: "Run a mail server for developers on this machine",
  help: `
Starts a mail server on loopback with the standard ports + 1000. It takes mail for every address, and
what is sent never leaves: it is delivered to itself, one message per transaction with its envelope. Account
"mox@localhost", password "moxmoxmox"; admin password "moxadmin". The data folder is made at the first start.

  -dir           folder for configuration and data; default is in your configuration folder
  -ip            address to listen on, in place of loopback
  -hosts         names that pages and API may be asked by, with commas: that of the container, say
  -ports         number added to each port, to run several side by side
  -initonly      make the folder and stop
  -strict        line ends, addresses and logins of SMTP as with "serve"
  -auth          programs that send need the account's password (any name and password will do without)
  -login         the pages and the API need a login (on loopback they need none without)
  -accounts      each address that mail comes for is an account with its own login, up to 100 of them
  -memory        keep nothing: data is in memory where the system can, else in a folder that goes at the end
  -max-messages  keep so many messages; the oldest go
  -max-age       keep messages so long, such as 30m, 12h or 7d
  -relay         host:port of a server that messages may be released to
  -relay-allow   addresses and @domains they may be released to, with commas; all if not given
  -scenario      file with faults to play one after the other, see docs/localserve.md

Each flag can be set in the environment too: MOX_LOCALSERVE_MAX_AGE for -max-age.

Programs find what was caught at /api/v1/ of the web port, whose calls are those of Mailpit; /api/v1/openapi.json
lists them.

Addresses whose localpart ends in "temperror", "permerror", a code such as "451" or "550", or "timeout"
misbehave as asked: when the message is given, at MAIL FROM if the localpart of the sender starts with
"mailfrom", at RCPT TO if that of a recipient starts with "rcptto", or in the queue if it starts with
"queue".`,
  async run(args) {
    const { flags } = parseFlags(args, environmentDefaults());
    const portOffset = Number(flags.ports);
    if (!Number.isInteger(portOffset) || portOffset < 0 || portOffset > 60_000) {
      throw new UsageError(`-ports is a number from 0 to 60000, not ${flags.ports}`);
    }
    const developer = await developerOptions(flags);
    const memory = flags.memory ? await makeMemoryFolder() : undefined;
    if (memory) keepNothing();
    const dir = memory?.dir ?? resolve(flags.dir === "" ? defaultLocalserveDir() : flags.dir);
    try {
      const { config, created } = await loadLocalserve({
        dir,
        ip: flags.ip === "" ? undefined : flags.ip,
        portOffset,
        adminPasswordHash: () => hashPassword(localserveAdminPassword),
      });
      if (config.static.LogFormat === "json") setLogFormat("json");
      for (const [pkg, level] of config.static.PackageLogLevels) setLevel(pkg, level as "info");
      if (flags.initonly) {
        if (await controlAnswers(config.dataDir)) throw new Error(`a server is running in ${dir}`);
        const accounts = new Accounts(
          config.dataPath("accounts"),
          new Log("store"),
          (name) => accountRules(config, name),
        );
        await ensurePasswords(config, accounts);
        await accounts.closeAll();
        writeStdout(`${created ? "made" : "found"} ${dir}\n`);
        return;
      }
      const server = await MailServer.start({
        config,
        local: true,
        developer,
        prepare: (accounts) => ensurePasswords(config, accounts),
      });
      // Stopping the password Worker frees the memory used for hashing.
      stopPasswordWorker();
      await forgoForeignFunctions();
      const stopListening = onShutdown(() => {
        server.stop();
      });
      const where = memory === undefined
        ? `its data in ${dir}`
        : memory.inMemory
        ? "its data in memory"
        : "its data in a folder that goes at the end";
      writeStdout(welcome(where, developer, server.endpoints));
      await server.stopped;
      stopListening();
    } finally {
      if (memory) await Deno.remove(dir, { recursive: true });
    }
  },
};

/** Flags set by the environment. @throws UsageError */
function environmentDefaults(): typeof defaults {
  const flags: Record<string, string | boolean> = { ...defaults };
  for (const [name, value] of Object.entries(defaults)) {
    const variable = `MOX_LOCALSERVE_${name.toUpperCase().replaceAll("-", "_")}`;
    const text = Deno.env.get(variable);
    if (text === undefined) continue;
    if (typeof value === "string") flags[name] = text;
    else if (/^(?:true|1|yes)$/i.test(text)) flags[name] = true;
    else if (/^(?:false|0|no|)$/i.test(text)) flags[name] = false;
    else throw new UsageError(`${variable} is true or false, not ${JSON.stringify(text)}`);
  }
  return flags as typeof defaults;
}

const ageUnits: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

async function developerOptions(flags: typeof defaults): Promise<DeveloperOptions> {
  const maxMessages = flags["max-messages"] === "" ? undefined : Number(flags["max-messages"]);
  if (maxMessages !== undefined && (!Number.isInteger(maxMessages) || maxMessages < 1)) {
    throw new UsageError(`-max-messages is a number from 1 on, not ${flags["max-messages"]}`);
  }
  const age = /^(\d+)([smhd])$/.exec(flags["max-age"]);
  if (flags["max-age"] !== "" && age === null) {
    throw new UsageError(`-max-age is a time such as 30m, 12h or 7d, not ${flags["max-age"]}`);
  }
  let relay: Relay | undefined;
  try {
    if (flags.relay !== "") relay = parseRelay(flags.relay, flags["relay-allow"]);
  } catch (err) {
    throw new UsageError((err as Error).message, { cause: err });
  }
  const faults = new Faults();
  if (flags.scenario !== "") faults.play(await readScenario(flags.scenario));
  return {
    strict: flags.strict,
    auth: flags.auth,
    login: flags.login,
    accounts: flags.accounts,
    hosts: hostNames(flags.hosts),
    faults,
    maxMessages,
    maxAge: age === null ? undefined : Number(age[1]) * ageUnits[age[2]],
    relay,
  };
}

/** @throws UsageError */
function hostNames(text: string): string[] {
  const names = text.split(",").map((n) => n.trim().toLowerCase()).filter((n) => n !== "");
  for (const n of names) {
    if (!/^[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?$/.test(n)) {
      throw new UsageError(`-hosts has names of hosts, not ${JSON.stringify(n)}`);
    }
  }
  return names;
}

async function readScenario(path: string): Promise<ScenarioStep[]> {
  try {
    return parseScenario(await Deno.readTextFile(path));
  } catch (err) {
    throw new UsageError(`-scenario ${path}: ${(err as Error).message}`, { cause: err });
  }
}

/** Gives accounts without a password the well-known one, including accounts of addresses. A damaged account doesn't stop the others. */
async function ensurePasswords(config: Config, accounts: Accounts): Promise<void> {
  for (const name of config.dynamic.Accounts.keys()) {
    try {
      const account = await accounts.open(name);
      const has = account.credentials.hasPassword;
      account.close();
      if (!has) await setAccountPassword(accounts, name, localservePassword);
    } catch (err) {
      if (name === localserveAccount) throw err;
      new Log("localserve").error("account can't be opened", { account: name, err: err as Error });
    }
  }
}

/** Lines of two columns. */
function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join("\n");
}

/** URLs of the pages on the first web port, and other ports with the same pages. */
function pages(endpoints: readonly Endpoint[]): string {
  const web = endpoints.filter((e) => e.pages !== undefined);
  if (web.length === 0) return "";
  const origins = web.map((e) => `${e.protocol.toLowerCase()}://${hostPort(e.hostname, e.port)}`);
  const rows = web[0].pages!.flatMap(({ name, path }) =>
    path === undefined ? [] : [[name, `${origins[0]}${path}`] as const]
  );
  const others = origins.length > 1 ? `\n  The same at ${origins.slice(1).join(", ")}\n` : "";
  return `\n${table(rows)}\n${others}`;
}

function welcome(where: string, options: DeveloperOptions, endpoints: readonly Endpoint[]): string {
  const byProtocol = new Map<string, string[]>();
  for (const e of endpoints) {
    if (e.pages !== undefined) continue;
    byProtocol.set(e.protocol, [...byProtocol.get(e.protocol) ?? [], hostPort(e.hostname, e.port)]);
  }
  const ports = table([...byProtocol].map(([name, places]) => [name, places.join("  ")]));
  const own = options.accounts
    ? `\nEach address that mail comes for is an account of its own: log in as the address with that password.\n`
    : "";
  const logins = options.auth || options.strict
    ? "Programs that send log in"
    : "Programs may send with any login or none; mail programs log in";
  return `
mox localserve is running, with ${where}

${ports}
${pages(endpoints)}
${logins} as ${localserveAddress} with
password ${localservePassword}. Mail to any address arrives in that account, and mail you send is
delivered to it: nothing leaves this machine. Ctrl-C stops the server.
${own}`;
}
