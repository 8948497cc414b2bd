/** `mox config test`, `describe-…`, `example`, `printservice`, `dnscheck` and `dnsrecords`. @module */
import {
  Config,
  configExamples,
  describeDomains,
  describeStatic,
  formatProblem,
} from "../config/mod.ts";
import { writeStdout } from "../platform/stdio.ts";
import { adminCommand } from "./admin_call.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { configPath, loadConfig } from "./datadir.ts";
import { describeObjectsConfig } from "./objects.ts";
import { describeSubmitConfig } from "./sendmail_config.ts";
import { loadForNodes } from "./serve_nodes.ts";
import { unitFor } from "./server_program.ts";

const test: Command = {
  name: "config test",
  usage: "[-config path] config test",
  summary: "Check both configuration files",
  help: `
Reads mox.conf and domains.conf with all checks, and the key files that they name. All mistakes are told at
once, each with its file and line. Ends with status 1 if there are any. Keys that are passed over, as they may be of
a newer version of the original, are told too, and are no mistake.`,
  async run(args) {
    parseFlags(args, {});
    const config = await Config.load(configPath());
    for (const w of config.warnings) writeStdout(`${formatProblem(w)}\n`);
    writeStdout(`${config.staticPath} and ${config.dynamicPath} are in order\n`);
  },
};

function printing(name: string, summary: string, help: string, text: () => string): Command {
  return {
    name,
    usage: name,
    summary,
    help,
    run(args) {
      parseFlags(args, {});
      writeStdout(text());
      return Promise.resolve();
    },
  };
}

const example: Command = {
  name: "config example",
  usage: "config example [name]",
  summary: "Print examples for parts of the configuration",
  help: `
Without a name lists the examples; with one prints it.

${configExamples.map((e) => `  ${e.name}: ${e.summary} (${e.file})`).join("\n")}`,
  run(args) {
    const { args: [name] } = parseFlags(args, {}, { max: 1 });
    if (name === undefined) {
      for (const e of configExamples) writeStdout(`${e.name}: ${e.summary} (${e.file})\n`);
      return Promise.resolve();
    }
    const found = configExamples.find((e) => e.name === name);
    if (!found) throw new UsageError(`no example ${JSON.stringify(name)}`);
    writeStdout(found.text);
    return Promise.resolve();
  },
};

const printservice: Command = {
  name: "config printservice",
  usage: "[-config path] config printservice [-nodes]",
  summary: "Print a systemd unit for the server",
  help: `
Prints a hardened systemd unit that starts the server as the user of mox.conf with the capability to listen
on low ports. Write it to a file mox.service, then:

  systemctl enable --now ./mox.service

  -nodes  a template for several nodes on one machine that share the configuration; write it to mox@.service, and
          enable mox@NAME for each of Nodes`,
  async run(args) {
    const { flags } = parseFlags(args, { nodes: false });
    const config = flags.nodes ? await loadForNodes(configPath()) : await loadConfig();
    writeStdout(unitFor(config, flags.nodes));
  },
};

/** The same under the original's name. */
const exampleAlone: Command = { ...example, name: "example", usage: "example [name]" };

export const configFileCommands: readonly Command[] = [
  test,
  adminCommand({
    name: "config dnscheck",
    usage: "domain",
    summary: "Look whether the DNS of a domain is as it should be",
    help: `
Looks at DNSSEC, the host's addresses and their reverse names, block lists, MX, SPF, DKIM, DMARC, MTA-STS,
TLS reporting, DANE and the names for mail programs. Each finding comes with what to do about it. Ends with
status 1 if there are errors.`,
    min: 1,
    toArgs: ([domain]) => ({ domain }),
    status: (result) => (result as { errors: number }).errors > 0 ? 1 : 0,
  }),
  adminCommand({
    name: "config dnsrecords",
    usage: "domain",
    summary: "Print the DNS records of a domain",
    help: "Prints the records that belong in the domain's zone, as a part of a zone file.",
    min: 1,
    toArgs: ([domain]) => ({ domain }),
  }),
  printing(
    "config describe-sendmail",
    "Print all fields of moxsubmit.conf with their documentation",
    "Prints /etc/moxsubmit.conf as it would be with all fields: an account with which sendmail submits messages.",
    describeSubmitConfig,
  ),
  printing(
    "config describe-objects",
    "Print all fields of the file for backup -objects with their documentation",
    "Prints the file as it would be with all fields: where an object storage is, and by which key all is encrypted.",
    describeObjectsConfig,
  ),
  printing(
    "config describe-static",
    "Print all fields of mox.conf with their documentation",
    "Prints mox.conf as it would be with all fields, each with its documentation.",
    describeStatic,
  ),
  printing(
    "config describe-domains",
    "Print all fields of domains.conf with their documentation",
    "Prints domains.conf as it would be with all fields, each with its documentation.",
    describeDomains,
  ),
  example,
  exampleAlone,
  printservice,
];
