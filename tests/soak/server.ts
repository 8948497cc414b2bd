/** The server of the soak: a localserve in a process of its own, and subcommands beside it. @module */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { takeOffset } from "../support/ports.ts";

const main = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "main.ts");
const offset = takeOffset();
const at = (port: number) => port + 1000 + offset;
export const ports = {
  smtp: at(25),
  submission: at(587),
  imap: at(143),
  http: at(80),
  metrics: at(81),
};
export const password = "moxmoxmox";
/** Accounts, the first of which gets all mail for addresses that nobody has. */
export const accounts = ["mox", "bob", "carol"] as const;
export type AccountName = (typeof accounts)[number];

const program = (args: string[]) => ["run", "--no-check", "-A", main, ...args];

/** Runs a subcommand to its end. @throws Error with what it said if it fails */
export async function run(args: string[], stdin = ""): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: program(args),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin)).catch(() => {});
  await writer.close().catch(() => {});
  const r = await child.output();
  const text = new TextDecoder();
  if (!r.success) {
    throw new Error(`${args.join(" ")}: ${text.decode(r.stderr)}${text.decode(r.stdout)}`);
  }
  return text.decode(r.stdout);
}

/** A process that runs until it is told to end. */
export interface Running {
  pid: number;
  /** Ends it; the exit status. */
  end(): Promise<number>;
}

/** Starts a subcommand, and waits until it has said the word; its log may go to a file. */
export async function start(args: string[], word: string, logTo?: string): Promise<Running> {
  const child = new Deno.Command(Deno.execPath(), {
    args: program(args),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let errors = "";
  const reading = (async () => {
    for await (const s of child.stderr.pipeThrough(new TextDecoderStream())) {
      errors = (errors + s).slice(-5000);
      if (logTo !== undefined) await Deno.writeTextFile(logTo, s, { append: true });
    }
  })();
  const said = Promise.withResolvers<void>();
  const output = (async () => {
    let text = "";
    for await (const s of child.stdout.pipeThrough(new TextDecoderStream())) {
      text = (text + s).slice(-10_000);
      if (text.includes(word)) said.resolve();
    }
    await reading;
    said.reject(new Error(`${args[0]} ended: ${errors}`));
  })();
  await said.promise;
  return {
    pid: child.pid,
    async end() {
      child.kill("SIGTERM");
      const { code } = await child.status;
      await output;
      if (code !== 0) console.error(errors);
      return code;
    },
  };
}

/** Starts localserve in the folder, with all of the accounts. */
export async function startServer(dir: string): Promise<Running> {
  const args = ["localserve", "-dir", dir, "-ports", String(offset)];
  const server = await start(args, "running", `${dir}.log`);
  for (const name of accounts.slice(1)) {
    await run(["config", "account", "add", "-dir", dir, name, `${name}@localhost`]);
    await run(["setaccountpassword", "-dir", dir, name], `${password}\n`);
  }
  await raiseLimits(join(dir, "domains.conf"));
  return server;
}

/** An hour has more messages than an account may send in a day; the server takes up the change by itself. */
async function raiseLimits(path: string): Promise<void> {
  let text = await Deno.readTextFile(path);
  for (const name of accounts) {
    text = text.replace(
      new RegExp(`^\t${name}:\n`, "m"),
      (line) =>
        `${line}\t\tMaxOutgoingMessagesPerDay: 1000000\n\t\tMaxFirstTimeRecipientsPerDay: 1000000\n`,
    );
  }
  await Deno.writeTextFile(path, text);
}

/** Values of metrics without labels, and the sum over the labels of those with some. */
export async function metrics(): Promise<Map<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text();
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    const m = /^(\w+)(?:\{[^}]*\})? ([\d.e+]+)$/.exec(line);
    if (m) values.set(m[1], (values.get(m[1]) ?? 0) + Number(m[2]));
  }
  return values;
}
