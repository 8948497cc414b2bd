/**
 * `deno task soak [minutes]`: a server with several accounts under everything at once (mail in and out, IMAP
 * sessions that read, change and wait, webmail, web API, imports and exports, backups and a copy that follows),
 * with its memory over time; at the end what is on disk is verified. Fails if anything was lost, if verifydata
 * finds something in the data or in a copy, if an unhandled error was counted, or if memory goes on rising.
 *
 * @module
 */
import { join } from "node:path";
import * as load from "./load.ts";
import { resident, rise, type Sample, table } from "./memory.ts";
import { startMox } from "../support/localserve.ts";
import { accounts, metrics, run, startServer } from "./server.ts";

const minutes = Number(Deno.args[0] ?? 60);
const begin = Date.now();
const end = begin + minutes * 60_000;
/** Share of the resident memory by which the last third may be above the one before. */
const allowedRise = 0.1;
const dir = await Deno.makeTempDir({ prefix: "soak-" });
const serverDir = join(dir, "server");
const errors: string[] = [];
let refused = 0;

/** What led to an error, down to the first cause. */
function causes(err: Error): string {
  return err.cause instanceof Error ? `: ${err.cause}${causes(err.cause)}` : "";
}

/** Does something again and again until the end; an error is noted, and it goes on. */
async function worker(name: string, pause: number, work: () => Promise<void>): Promise<void> {
  while (Date.now() < end) {
    try {
      await work();
    } catch (err) {
      const e = err as Error & { responseStatus?: string; responseText?: string };
      // Another session has expunged what this one asks for: NO is the right answer.
      if (e.responseStatus === "NO") refused++;
      else {
        const what = `${e.responseStatus ?? ""} ${e.responseText ?? e.message}`;
        errors.push(`${name}: ${what.slice(0, 300)}${causes(e)}`);
        console.error(errors[errors.length - 1]);
        if (errors.length > 100) {
          throw new Error(`too many errors: ${errors.slice(-3).join("; ")}`);
        }
      }
    }
    await new Promise((r) => setTimeout(r, pause));
  }
}

const server = await startServer(serverDir);
const copy = join(dir, "followed");
const watch = await startMox(["backup", "-dir", serverDir, "-watch", copy], "kept up to date");
const samples: Sample[] = [];

async function sample(): Promise<void> {
  const m = await metrics();
  const mega = (name: string) => (m.get(name) ?? 0) / 2 ** 20;
  const s: Sample = {
    minute: (Date.now() - begin) / 60_000,
    resident: await resident(server.pid),
    heap: mega("mox_memory_heap_bytes"),
    external: mega("mox_memory_external_bytes"),
    watch: await resident(watch.pid),
  };
  samples.push(s);
  console.log(
    `${s.minute.toFixed(1).padStart(6)} min ${s.resident.toFixed(0).padStart(5)} MB, heap ` +
      `${s.heap.toFixed(0)}, external ${s.external.toFixed(0)}, watch ${s.watch.toFixed(0)}; ` +
      Object.entries(load.counts).map(([k, v]) => `${k} ${v}`).join(", ") +
      `, refused ${refused}, errors ${errors.length}`,
  );
}

let failed = false;
const complain = (what: string) => {
  failed = true;
  console.error(what);
};
const repeat = (n: number, name: string, pause: number, work: () => Promise<void>) =>
  Array.from({ length: n }, () => worker(name, pause, work));
try {
  const endIdle = await load.watchInbox();
  await Promise.all([
    ...repeat(3, "receive", 40, load.receive),
    ...repeat(1, "submit", 500, load.submit),
    ...repeat(2, "read", 300, load.read),
    ...repeat(1, "change", 1000, load.change),
    ...repeat(1, "mailboxes", 3000, load.mailboxes),
    ...repeat(1, "web", 1000, load.web),
    ...repeat(1, "api", 2000, load.api),
    worker("transfer", Math.min(90_000, minutes * 9000), () => load.transfer(dir, serverDir)),
    worker("backup", Math.min(60_000, minutes * 12_000), () => load.backup(dir, serverDir)),
    worker("sample", Math.min(30_000, minutes * 1000), sample),
  ]);
  await endIdle();
  load.closeAll();
  while (!/nothing is queued/.test(await run(["queue", "list", "-dir", serverDir]))) {
    await new Promise((r) => setTimeout(r, 500));
  }
  for (const a of accounts) {
    const there = await load.found(a);
    const must = [...load.acknowledged.get(a)!];
    const lost = must.filter((id) => !there.has(id));
    if (lost.length > 0) complain(`${a}: ${lost.length} of ${must.length} are missing: ${lost[0]}`);
    else console.log(`${a}: ${must.length} acknowledged and not expunged, all there`);
  }
  const panics = (await metrics()).get("mox_panic_total");
  if (panics !== 0) complain(`${panics} unhandled errors`);
} finally {
  if (await watch.signal("SIGTERM") !== 0) complain(`backup -watch failed: ${watch.log()}`);
  if (await server.signal("SIGTERM") !== 0) complain("the server ended with an error");
}
for (const e of errors.slice(0, 5)) complain(e);
for (const folder of [join(serverDir, "data"), copy]) {
  const said = await run(["verifydata", folder]).catch((err) => (err as Error).message);
  if (!said.includes("all is well")) complain(`verifydata ${folder}: ${said}`);
  else {console.log(
      `verifydata: ${folder === copy ? "the copy that follows" : "data"}: all is well`,
    );}
}
console.log(table(samples, 5));
for (const what of ["resident", "heap", "watch"] as const) {
  const share = rise(samples, what);
  console.log(`${what}: last third against the one before ${(share * 100).toFixed(1)} %`);
  if (what !== "heap" && share > allowedRise) complain(`memory goes on rising: ${what}`);
}
if (failed) console.error(`what there was is in ${dir}`);
else await Deno.remove(dir, { recursive: true });
console.log(failed ? "soak FAILED" : "soak passed");
Deno.exit(failed ? 1 : 0);
