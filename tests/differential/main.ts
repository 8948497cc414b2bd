/** The long form of messages_test.ts: `deno run -A tests/differential/main.ts [messages] [seed]`. */
import { findProgram } from "../support/programs.ts";
import { compareMessages } from "./compare.ts";

const count = Number(Deno.args[0] ?? 5000);
const seed = Number(Deno.args[1] ?? 1);
const r = await compareMessages(count, seed, findProgram("python3"));
console.log(`${r.messages} messages, seed ${seed}`);
for (const [kind, n] of [...r.known].sort(([, a], [, b]) => b - a)) console.log(`${n}\t${kind}`);
for (const u of r.unknown) console.log(`\nNEW ${u}`);
if (r.unknown.length > 0) Deno.exit(1);
