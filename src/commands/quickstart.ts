/** `mox quickstart`. @module */
import { join, resolve } from "node:path";
import {
  blockListChoice,
  checkDomainDns,
  domainRecords,
  formatDomainCheck,
  formatZone,
} from "../admin/mod.ts";
import { makeNewServer, type QuickstartOptions } from "../admin/quickstart.ts";
import { makeResolver } from "../dns/mod.ts";
import { hasServiceUnits } from "../platform/process.ts";
import { writeStderr, writeStdout } from "../platform/stdio.ts";
import { fixPermissions, isRoot, lookupUser } from "../platform/users.ts";
import { setAccountPassword } from "../serve/logins.ts";
import { accountRules } from "../serve/rules.ts";
import { Log } from "../log/mod.ts";
import { Accounts } from "../store/account/accounts.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { configPath } from "./datadir.ts";
import { programCommand, unitFor } from "./server_program.ts";

export const quickstart: Command = {
  name: "quickstart",
  usage:
    "[-config path] quickstart [-hostname host] [-existing-webserver] [-skipdns] [-skipdial] [-ip list] [-blocklists list] [-ports offset] user@domain [user]",
  summary: "Set up a new mail server for a domain",
  help: `
Writes config/mox.conf and config/domains.conf for a server that takes mail for the domain, with keys for
DKIM, an account with the address, and passwords for it and for the administrator, which are printed once.
Then looks what the DNS says, prints the records that belong in the domain's zone, and how to go on. Run it
in the folder that is to hold config/ and data/, best as root. Nothing that exists is overwritten, and it
asks no questions.

The last argument is the user (or numeric uid) that the server runs as, by default "mox".

  -hostname            name of this machine in the DNS; by default the one that it has
  -existing-webserver  another web server here has ports 80 and 443: pages and policies are then served to it
                       on ports 1080 and 81, and certificates come from files
  -skipdns             do not look at the DNS, for machines without
  -skipdial            accepted for scripts: nothing is dialled here
  -ip                  addresses to take mail on, with commas between, in place of the public ones found
  -blocklists          DNS block lists to ask about unknown senders and links in their mail, with commas
                       between, or "none"; without it none is asked, and the choice is printed
  -ports               number added to each port, for trying it out without privileges`,
  async run(args) {
    const { flags, args: [address, user] } = parseFlags(args, {
      hostname: "",
      "existing-webserver": false,
      skipdns: false,
      skipdial: false,
      ip: "",
      blocklists: "",
      ports: "0",
    }, { min: 1, max: 2 });
    const portOffset = Number(flags.ports);
    if (!Number.isInteger(portOffset) || portOffset < 0 || portOffset > 57_000) {
      throw new UsageError(`-ports is a number from 0 to 57000, not ${flags.ports}`);
    }
    const path = configPath();
    const options: QuickstartOptions = {
      path,
      address,
      hostname: flags.hostname,
      user: user ?? "mox",
      ips: flags.ip === "" ? [] : flags.ip.split(","),
      blockLists: /^(?:none)?$/.test(flags.blocklists) ? [] : flags.blocklists.split(","),
      existingWebserver: flags["existing-webserver"],
      portOffset,
      resolver: flags.skipdns ? undefined : makeResolver(),
      setPassword: async (config, account, password) => {
        const accounts = new Accounts(
          config.dataPath("accounts"),
          new Log("store"),
          (name) => accountRules(config, name),
        );
        try {
          await setAccountPassword(accounts, account, password);
        } finally {
          await accounts.closeAll();
        }
      },
    };
    const made = await makeNewServer(options);
    const { config, domain } = made;
    writeStdout(`Wrote ${made.files.join("\n      ")}\n\n`);
    for (const note of made.notes) writeStdout(`Note: ${note}\n\n`);

    if (flags.blocklists === "") writeStdout(blockListChoice);

    const unit = hasServiceUnits
      ? await placeUnit(unitFor(config), join(path, "..", ".."))
      : undefined;
    const userProblem = await giveToUser(config.static.User, [config.dir, config.dataDir]);

    if (options.resolver) {
      writeStdout(
        'What the DNS says of this host ("mox config dnscheck" shows all, and again later):\n\n',
      );
      const check = await checkDomainDns(config, domain, { resolver: options.resolver });
      const now = ["dnssec", "host", "iprev", "dnsbl", "mx"];
      check.parts = check.parts.filter((p) => now.includes(p.name));
      writeStdout(formatDomainCheck(check));
    }
    writeStdout(
      `Records for the zone of ${domain} ("mox config dnsrecords ${domain}" prints them again):\n\n`,
    );
    writeStdout(formatZone(await domainRecords(config, domain, { ips: made.publicIps })) + "\n");
    writeStdout(`Passwords, which are not shown again:

  account ${made.account} (${address}): ${made.accountPassword}
  administrator:  ${made.adminPassword}

`);
    const pagesPort = (flags["existing-webserver"] ? 1080 : 80) + portOffset;
    writeStdout(nextSteps({ unit, userProblem, user: config.static.User, path, pagesPort }));
  },
};

/** Writes the unit next to config/, unless there is one. @returns its path, or undefined */
async function placeUnit(text: string, dir: string): Promise<string | undefined> {
  const path = resolve(dir, "mox.service");
  try {
    await Deno.writeTextFile(path, text, { createNew: true });
    return path;
  } catch (err) {
    writeStderr(`not writing ${path}: ${(err as Error).message}\n`);
    return undefined;
  }
}

/** As root, gives the files to the server's user. @returns what prevents that */
async function giveToUser(name: string, paths: string[]): Promise<string | undefined> {
  if (!isRoot()) return undefined;
  try {
    const user = await lookupUser(name);
    for (const path of paths) await fixPermissions(path, user, 0o700, 0o600);
    return undefined;
  } catch (err) {
    return err instanceof Error ? err.message : String(err);
  }
}

function nextSteps(o: {
  unit: string | undefined;
  userProblem: string | undefined;
  user: string;
  path: string;
  pagesPort: number;
}): string {
  const mox = programCommand().map((w) => /\s/.test(w) ? JSON.stringify(w) : w).join(" ");
  const lines = ["To go on:", ""];
  if (o.userProblem !== undefined && /^\d+$/.test(o.user) === false) {
    lines.push(
      "  # the user that the server runs as",
      `  useradd --system --user-group ${o.user}`,
      "",
    );
  }
  lines.push(
    `  # try the configuration, and start by hand${
      hasServiceUnits ? " (as root; it becomes the user)" : ""
    }`,
    `  ${mox} -config ${o.path} config test`,
    `  ${mox} -config ${o.path} serve`,
    "",
  );
  if (o.unit !== undefined) {
    lines.push(
      "  # or as a service, from now on",
      `  chown -R ${o.user}: ${resolve(o.path, "..")} ${resolve(o.path, "..", "..", "data")}`,
      `  systemctl enable --now ${o.unit}`,
      "  journalctl -f -u mox",
      "",
    );
  }
  lines.push(
    "The pages for the administrator and for users are on this machine only: reach them by",
    `ssh -L 8080:localhost:${o.pagesPort} you@server, at http://localhost:8080/admin/ and http://localhost:8080/.`,
    "",
  );
  return lines.join("\n");
}
