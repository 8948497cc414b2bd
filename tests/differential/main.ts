/** The long form of the tests here: `deno task differential [messages] [commands] [seed]`. */
import { setLogSink } from "../../src/log/mod.ts";
import { noDovecot } from "../support/dovecot.ts";
import { findProgram } from "../support/programs.ts";
import { compareMessages } from "./compare.ts";
import { compareImap } from "./imap.ts";

setLogSink(() => {});
const [messages, commands, seed] = [5000, 2000, 1].map((d, i) => Number(Deno.args[i] ?? d));
const results = [await compareMessages(messages, seed, findProgram("python3"))];
if (!noDovecot) {
  // Each in a mailbox of its own: found messages are compared where both have the same few.
  results.push(
    await compareImap(Math.ceil(messages / 10), 0, seed),
    await compareImap(0, commands, seed),
  );
}
console.log(`${messages} messages, ${commands} commands, seed ${seed}`);
const known = results.flatMap((r) => [...r.known]).sort(([, a], [, b]) => b - a);
for (const [kind, n] of known) console.log(`${n}\t${kind}`);
const unknown = results.flatMap((r) => r.unknown);
for (const u of unknown) console.log(`\nNEW ${u}`);
Deno.exit(unknown.length > 0 ? 1 : 0);
