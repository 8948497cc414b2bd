/**
 * localserve as a catcher of mail: messages a second in memory and on disk, and how long the API's list takes.
 *
 * usage: deno run -A tests/bench/localserve.ts [messages [connections [of the list]]]
 * In memory only if XDG_RUNTIME_DIR names a folder that is: the first line of the server says.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Localserve, startLocalserve } from "../support/localserve.ts";

const here = dirname(fileURLToPath(import.meta.url));
const messages = Number(Deno.args[0] ?? 10_000);
const connections = Number(Deno.args[1] ?? 32);
const listed = Number(Deno.args[2] ?? 100_000);

async function send(s: Localserve, n: number): Promise<number> {
  const r = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-check", "-A", join(here, "smtp_load.ts")],
      ...[String(s.smtp), "mox@localhost", String(connections), String(n), "4096", "1"],
    ],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  if (!r.success) throw new Error("the load failed");
  return JSON.parse(new TextDecoder().decode(r.stdout)).accepted;
}

const url = (s: Localserve, path: string) => `http://127.0.0.1:${s.http}/api/v1/${path}`;

/** Median milliseconds of a call. */
async function timed(path: string): Promise<string> {
  const times: number[] = [];
  for (let i = 0; i < 21; i++) {
    const start = performance.now();
    const r = await fetch(path);
    await r.arrayBuffer();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[10].toFixed(1);
}

for (const [name, flags] of [["-memory", ["-memory"]], ["on disk", []]] as const) {
  const s = await startLocalserve(undefined, flags);
  try {
    await send(s, 500);
    const ms = await send(s, messages);
    console.log(
      `${name}: ${messages} messages by ${connections} connections: ${
        Math.round(messages / ms * 1000)
      } a second`,
    );
    if (name === "-memory") {
      await send(s, listed - messages - 500);
      const { total } = await (await fetch(url(s, "messages?limit=1"))).json();
      console.log(`list of ${total} messages:`);
      console.log(`  newest 50: ${await timed(url(s, "messages"))} ms`);
      console.log(`  50 from 50,000 on: ${await timed(url(s, "messages?start=50000"))} ms`);
      console.log(
        `  search to:nobody@example.org: ${await timed(
          url(s, "search?query=to:nobody@example.org"),
        )} ms`,
      );
    }
  } finally {
    await s.close();
  }
}
