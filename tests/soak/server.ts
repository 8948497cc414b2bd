/** The server of the soak: a localserve in a process of its own, and subcommands beside it. @module */
import { join } from "node:path";
import { type Localserve, mox, portsAt, startLocalserve } from "../support/localserve.ts";
import { takeOffset } from "../support/ports.ts";

const offset = takeOffset();
export const ports = portsAt(offset);
export const password = "moxmoxmox";
/** Accounts, the first of which gets all mail for addresses that nobody has. */
export const accounts = ["mox", "bob", "carol"] as const;
export type AccountName = (typeof accounts)[number];

/** Runs a subcommand to its end. @throws Error with what it said if it fails */
export async function run(args: string[], stdin = ""): Promise<string> {
  const r = await mox(args, stdin);
  if (r.code !== 0) throw new Error(`${args.join(" ")}: ${r.stderr}${r.stdout}`);
  return r.stdout;
}

/** Starts localserve in the folder, with all of the accounts. */
export async function startServer(dir: string): Promise<Localserve> {
  const server = await startLocalserve({ dir, offset, logTo: `${dir}.log` });
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
