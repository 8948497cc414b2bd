/** `mox import go`: moving in from the Go original. @module */
import { resolve } from "node:path";
import { copyConfig } from "../admin/original/config_copy.ts";
import { findOriginal, type OriginalFolder } from "../admin/original/folder.ts";
import { surveyOriginal, type TakenOver, takeOverOriginal } from "../admin/original/take_over.ts";
import { Config, ConfigError, formatProblem } from "../config/mod.ts";
import { parentDir } from "../platform/paths.ts";
import { stdoutIsTerminal, writeStdout } from "../platform/stdio.ts";
import { controlAnswers } from "../serve/control/control.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { configPath } from "./datadir.ts";

export const importGo: Command = {
  name: "import go",
  usage: "[-config path] import go -dir folder [-dryrun]",
  summary: "Take over an installation of the original mox, written in Go",
  help: `
Takes over configuration and data of the original, of the versions up to 0.0.17 and those that keep their data
alike: accounts with their mailboxes, messages, flags and passwords, junk filters, the queue, webhooks, TLS keys,
reports. IMAP programs go on as if nothing had happened: UIDVALIDITY and uids stay.

  -dir     the folder that the original runs in (with config and data in it), the folder of its localserve, or
           its data folder alone, as of its backup
  -dryrun  only say what would be taken over

Run it in the folder that the new server is to run in, with the original stopped, or on a backup that it made.
Nothing in the folder of the original is changed; message files are hard links where both are on one file
system. Without a mox.conf here (or at -config) the original's configuration is copied, else what is here is
used. It can be repeated, and then begins anew, until a server has run with the new data folder. See docs/moving.md.`,
  async run(args) {
    const { flags } = parseFlags(args, { dir: "", dryrun: false });
    if (flags.dir === "") throw new UsageError("-dir is missing: the folder of the original");
    const from = await findOriginal(resolve(flags.dir));
    const print = (line: string) => writeStdout(`${line}\n`);
    print(`configuration: ${from.configDir ?? "none"}`);
    print(`data: ${from.dataDir}`);
    if (flags.dryrun) {
      summary(await surveyOriginal(from, { tell: () => {} }), "would be taken over");
      return;
    }
    const config = await readyConfig(from, print);
    if (await controlAnswers(config.dataDir)) {
      throw new Error(`a server is running with ${config.dataDir}: stop it first`);
    }
    const taken = await takeOverOriginal(from, config.dataDir, {
      tell: print,
      progress: stdoutIsTerminal()
        ? (account, done, of) => writeStdout(`\r${account}: ${done} of ${of}\r`)
        : undefined,
    });
    summary(taken, "taken over");
    for (const name of taken.accounts.keys()) {
      if (!config.account(name)) print(`note: account ${name} is not in ${config.dynamicPath}`);
    }
    print(`data folder: ${config.dataDir}`);
  },
};

/** The configuration of the new server, copied from the original if there is none. */
async function readyConfig(from: OriginalFolder, print: (line: string) => void): Promise<Config> {
  const path = configPath();
  const there = await Deno.stat(path).then(() => true, () => false);
  if (!there) {
    if (from.configDir === undefined) {
      throw new Error(
        `there is no configuration, neither at ${path} nor beside the data: make one, or copy the original's`,
      );
    }
    const copied = await copyConfig({ ...from, configDir: from.configDir }, parentDir(path));
    for (const file of copied.files) print(`copied ${file}`);
    if (copied.dataDirWas !== undefined) {
      print(`DataDir in mox.conf is ../data, in place of ${copied.dataDirWas}`);
    }
  }
  let config: Config;
  try {
    config = await Config.load(path);
  } catch (err) {
    if (!(err instanceof ConfigError)) throw err;
    throw new Error(
      `the configuration can't be used as it is; mend it and try again:\n${err.message}`,
      { cause: err },
    );
  }
  for (const w of config.warnings) print(`warning: ${formatProblem(w)}`);
  return config;
}

function summary(over: TakenOver, what: string): void {
  const lines: string[] = [`\n${what}:`];
  for (const [name, a] of over.accounts) {
    const filter = over.filters.get(name);
    const parts = [
      `${a.mailboxes} mailboxes`,
      `${a.messages} messages (${a.bytes} bytes)`,
      `${a.expunged} uids of removed messages`,
      a.password ? "password" : "no password",
    ];
    if (filter) parts.push(`${filter.words} words of the junk filter`);
    if (a.missing > 0) parts.push(`${a.missing} messages left out, their files are missing`);
    lines.push(`  account ${name}: ${parts.join(", ")}`);
  }
  const { queue: q } = over;
  lines.push(
    `  queue: ${q.messages} messages, ${q.retired} retired, ${q.suppressed} suppressed addresses, ` +
      `${q.holdRules} hold rules, ${q.webhooks} calls of webhooks, ${q.retiredWebhooks} retired`,
    `  reports: ${over.reports.dmarc} of DMARC, ${over.reports.tls} of TLS`,
    `  ${over.tlsKeys} TLS keys, ${over.stsPolicies} MTA-STS policies`,
  );
  if (over.dropped.size > 0) {
    lines.push("left behind:");
    for (const [name, count] of over.dropped) lines.push(`  ${count} ${name}`);
  }
  writeStdout(`${lines.join("\n")}\n`);
}
