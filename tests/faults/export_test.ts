/**
 * Each call of an export fails once, over HTTP and on the command line. The export ends whole, or who asked for it is
 * told: an answer that breaks off, an error. Nothing is left over, no file stays open, and the next one is whole.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import tar from "tar-stream";
import { Log, setLogSink } from "../../src/log/mod.ts";
import { verifyData } from "../../src/store/backup/verify.ts";
import { transferCommands } from "../../src/serve/control/transfer_commands.ts";
import { transferRoutes } from "../../src/web/account/transfer.ts";
import { ownHost, routeServices, serveHttp, textResponse } from "../../src/web/http/mod.ts";
import type { Login } from "../../src/web/login/mod.ts";
import type { ImportJobs } from "../../src/web/account/import_jobs.ts";
import { outboundTo } from "../support/outbound.ts";
import { withWebmail, type World } from "../web/webmail/server.ts";
import { unzipSync } from "../web/webmail/unzip.ts";
import { type Call, type Fault, isPlanted, possible, withFault } from "./disk.ts";

// What goes wrong on purpose fills no log.
setLogSink(() => {});

const all: readonly Fault[] = ["EIO", "ENOSPC", "EMFILE", "short", "torn", "delay"];
/** Files of an export by name, with their contents. */
type Files = Record<string, string>;

const text = (id: string, lines: number) =>
  `From: a@example.org\r\nSubject: ${id}\r\nMessage-ID: <${id}@example.org>\r\n\r\n` +
  `a line of ${id}\r\n`.repeat(lines);

/** Two mailboxes. Small messages are in memory after the first time, large ones are read again. */
async function fill(w: World): Promise<void> {
  await w.deliver(text("small", 3), { flags: 1, received: 1.7e12 });
  await w.deliver(text("large", 9000), { keywords: ["work"], received: 1.7e12 });
  await w.deliver(text("other", 9000), { mailbox: "Lists/a", received: 1.7e12 });
  // The search index reads the files in a Worker.
  await w.account.fulltext.update();
}

/** Message and temporary files that this process has open. */
function openFiles(dir: string): string[] {
  const found: string[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      const path = Deno.readLinkSync(`/proc/self/fd/${name}`);
      if (path.startsWith(dir) && !/\.db(-wal|-shm)?$/.test(path)) found.push(path);
    } catch {
      // The list's own.
    }
  }
  return found.sort();
}

function filesBelow(dir: string): Files {
  const found: Files = {};
  const walk = (at: string) => {
    for (const e of Deno.readDirSync(join(dir, at))) {
      const path = join(at, e.name);
      if (e.isDirectory) walk(path);
      else found[path] = Deno.readTextFileSync(join(dir, path));
    }
  };
  try {
    walk("");
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
  }
  return found;
}

/** Runs all faults over an export. `once` gives its files, or throws if who asked for it is told that it failed. */
async function each(
  w: World,
  name: string,
  once: () => Promise<Files>,
  /** After a failure: what is left of it that says that it is whole. */
  left: (expected: Files) => void,
  kinds: readonly Fault[] = all,
): Promise<void> {
  const expected = await once();
  const base = openFiles(w.dir);
  const run = async (at: number, fault: Fault): Promise<Call[]> => {
    let files: Files | undefined;
    let refused: unknown;
    const r = await withFault(w.dir, at, fault, async () => {
      try {
        files = await once();
      } catch (err) {
        if (err instanceof assert.AssertionError) throw err;
        refused = err;
      }
    }, { reads: true });
    try {
      if (r.error !== undefined) throw r.error;
      if (files) assert.deepEqual(files, expected, "it ended, but is not whole");
      else if (r.hit === undefined) throw refused;
      if (fault === "delay" || fault === "short") assert.ok(files, `refused: ${refused}`);
      if (!r.hit?.name.startsWith("Deno.remove")) {
        left(expected);
        assert.deepEqual(filesBelow(join(w.dir, "tmp")), {}, "temporary files");
      } else await Deno.remove(join(w.dir, "tmp"), { recursive: true }).catch(() => {});
      assert.deepEqual(openFiles(w.dir), base, "open files");
      if (!files) assert.deepEqual(await once(), expected, "the next one");
    } catch (err) {
      throw new Error(
        `${name}: ${fault} at ${at}: ${r.hit?.name} ${r.hit?.path.slice(w.dir.length)}: ` +
          (err as Error).message,
        { cause: err },
      );
    }
    return r.calls;
  };
  const calls = await run(0, "EIO");
  assert.ok(calls.length > 5, `${calls.length} calls`);
  let runs = 0;
  const failures: string[] = [];
  for (const [i, call] of calls.entries()) {
    for (const fault of kinds) {
      if (!possible(fault, call.name)) continue;
      runs++;
      await run(i + 1, fault).catch((err) => failures.push(err.message));
    }
  }
  console.log(`${name}: ${calls.length} points, ${runs} runs`);
  assert.deepEqual(failures, []);
  assert.deepEqual(verifyData(join(w.dir, "data"), false, () => {}), []);
}

async function untar(bytes: Uint8Array): Promise<Files> {
  const extract = tar.extract();
  extract.end(bytes);
  const found: Files = {};
  for await (const entry of extract) {
    const parts: Uint8Array[] = [];
    for await (const p of entry) parts.push(p as Uint8Array);
    found[entry.header.name] = parts.map((p) => new TextDecoder().decode(p)).join("");
  }
  return found;
}

function unzip(bytes: Uint8Array): Files {
  return Object.fromEntries(
    Object.entries(unzipSync(bytes)).map(([n, b]) => [n, new TextDecoder().decode(b)]),
  );
}

/** The bytes of an answer that came to its end. @throws if it says that it failed, or breaks off */
async function whole(r: Response): Promise<Uint8Array> {
  const bytes = new Uint8Array(await r.arrayBuffer());
  if (r.status !== 200) throw new Error(`status ${r.status}`);
  return bytes;
}

for (const format of ["mbox", "maildir"] as const) {
  Deno.test(`webmail: every call of an export as ${format} fails once`, () =>
    withWebmail(async (w) => {
      await fill(w);
      const b = await w.login();
      await each(
        w,
        `webmail, ${format}`,
        async () => unzip(await whole(await b.get(`export?mailbox=&format=${format}`))),
        () => {},
      );
    }));

  Deno.test(`command line: every call of an export as ${format} fails once`, () =>
    withWebmail(async (w) => {
      await fill(w);
      const { config } = w.services;
      const c = { config, accounts: w.accounts, log: new Log("transfer") };
      let n = 0;
      let folder = "";
      await each(w, `command line, ${format}`, async () => {
        folder = join(w.dir, `out${n++}`);
        let said = "";
        try {
          await transferCommands[`export ${format}`](
            c,
            { account: "mox", folder, mailbox: "" },
            (t) => said += t,
          );
        } catch (err) {
          assert.ok(isPlanted(err), String(err));
          assert.doesNotMatch(said, /exported/);
          throw err;
        }
        assert.match(said, /3 messages exported/);
        return filesBelow(folder);
      }, (expected) => {
        // What is there of one that failed is whole.
        for (const [name, content] of Object.entries(filesBelow(folder))) {
          assert.equal(content, expected[name], `${name} is cut off`);
        }
      }, format === "mbox" ? all : ["EIO", "torn"]);
    }));
}

for (const [kind, format] of [["tgz", "mbox"], ["tar", "maildir"], ["zip", "mbox"]] as const) {
  Deno.test(`account page: every call of an export as ${format} in a ${kind} fails once`, () =>
    withWebmail(async (w) => {
      await fill(w);
      const tempDir = join(w.dir, "tmp");
      const routes = transferRoutes({
        accounts: w.accounts,
        // Who is asking, and imports, are not what is tried here.
        login: { require: () => ({ account: "mox" }) } as unknown as Login,
        jobs: {} as ImportJobs,
        outbound: outboundTo(),
        tempDir,
        anyPort: false,
      });
      const server = await serveHttp(
        { hostname: "127.0.0.1", port: 0, log: new Log("http") },
        routeServices([{
          name: "account",
          path: "/",
          host: ownHost("localhost"),
          handle: (req) => routes(req) ?? textResponse(404, "nothing"),
        }]),
      );
      try {
        await each(w, `account page, ${format} in a ${kind}`, async () => {
          await Deno.mkdir(tempDir, { recursive: true });
          const url = `http://127.0.0.1:${server.port}/export?format=${format}&kind=${kind}`;
          const bytes = await whole(await fetch(url));
          if (kind === "zip") return unzip(bytes);
          return await untar(kind === "tgz" ? gunzipSync(bytes) : bytes);
        }, () => {});
      } finally {
        await server.shutdown(1000);
      }
    }));
}
