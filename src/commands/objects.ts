/** `mox backup -objects` and `mox restore`: an encrypted copy in an object storage. @module */
import { join, resolve } from "node:path";
import { describe } from "../config/sconf/describe.ts";
import { type Infer, optional, required } from "../config/sconf/schema.ts";
import { struct } from "../config/sconf/schema_blocks.ts";
import { int, text } from "../config/sconf/schema_scalars.ts";
import { originText } from "../config/sconf/types.ts";
import { parseSconf } from "../config/sconf/sconf.ts";
import { Config } from "../config/mod.ts";
import { makeResolver } from "../dns/mod.ts";
import { resolveFrom } from "../platform/paths.ts";
import { onShutdown } from "../platform/signals.ts";
import { writeStderr, writeStdout } from "../platform/stdio.ts";
import { becomeDataOwner } from "../serve/become_user.ts";
import { noteBackup } from "../store/backup/last_backup.ts";
import { Journal } from "../store/objects/journal.ts";
import { restoreObjects, storedGenerations } from "../store/objects/restore.ts";
import { Bucket } from "../store/objects/s3.ts";
import { masterKey } from "../store/objects/seal.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { findConfigPath } from "./datadir.ts";
import { outboundOf } from "./inputs.ts";

/** Milliseconds between two progress lines. */
const tellEvery = 60_000;

const schema = struct({
  Endpoint: required(originText, "URL of the storage, which speaks the S3 API."),
  Region: optional(text(), "", "us-east-1"),
  Bucket: required(text(), "It has to be there, and may be one in which objects can't be changed."),
  Prefix: optional(text(), "What the names of all objects begin with, such as mail/."),
  AccessKey: required(text(), ""),
  SecretKey: required(text(), ""),
  KeyFile: required(
    text(),
    "File with 32 bytes in base64 (openssl rand -base64 32), by which everything is encrypted. Keep a copy elsewhere: " +
      "without it nothing can be restored.",
  ),
  StateFile: optional(
    text(),
    "Database that knows what is stored; by default objects.db beside this file. If it is lost everything is sent anew.",
  ),
  Seconds: optional(int(1, 86_400), "Between two objects, of what came meanwhile.", 10),
  FullDays: optional(int(1, 365), "After which everything is sent anew.", 7),
  KeepDays: optional(
    int(1, 36_500),
    "For which any moment can be restored. Older objects are removed.",
    30,
  ),
});
type ObjectsConfig = Infer<typeof schema>;

/** All fields with their documentation. */
export function describeObjectsConfig(): string {
  return describe(schema);
}

/** Reads the file. @throws Error that names file and lines */
async function readObjectsConfig(path: string): Promise<ObjectsConfig> {
  const { root, problems } = parseSconf(await Deno.readTextFile(path));
  const value = schema.read(root, 0, (line, message, warning) => {
    if (!warning) problems.push({ line, message });
  });
  if (problems.length === 0) return value;
  throw new Error(
    problems.map((p) => p.line > 0 ? `${path}:${p.line}: ${p.message}` : `${path}: ${p.message}`)
      .join("\n"),
  );
}

async function opened(path: string) {
  const config = await readObjectsConfig(path);
  const folder = join(path, "..");
  const keyFile = resolveFrom(folder, config.KeyFile);
  let key: Uint8Array;
  try {
    key = masterKey(await Deno.readTextFile(keyFile));
  } catch (err) {
    throw new Error(`${keyFile}: ${(err as Error).message}`, { cause: err });
  }
  const bucket = new Bucket({
    endpoint: config.Endpoint,
    region: config.Region,
    bucket: config.Bucket,
    accessKey: config.AccessKey,
    secretKey: config.SecretKey,
  }, await outboundOf(makeResolver()));
  const state = resolveFrom(folder, config.StateFile || "objects.db");
  return { config, key, bucket, state };
}

/** Stores until the process is told to stop. */
export async function backupToObjects(args: readonly string[]): Promise<void> {
  const { flags } = parseFlags(args, { dir: "", objects: "" });
  const server = await Config.load(await findConfigPath(flags.dir), { keyFiles: false });
  const { config, key, bucket, state } = await opened(resolve(flags.objects));
  await becomeDataOwner(server.dataDir);
  const journal = new Journal({
    dataDir: server.dataDir,
    configDir: server.dir,
    state,
    prefix: config.Prefix,
    key,
    interval: config.Seconds,
    fullEvery: config.FullDays,
    keep: config.KeepDays,
  }, bucket);
  const stop = new AbortController();
  const unlisten = onShutdown(() => stop.abort());
  const destination = `${config.Endpoint}/${config.Bucket}/${config.Prefix}`;
  const started = Date.now();
  let lastLine = -Infinity;
  let error: string | undefined;
  let kept: string | undefined;
  try {
    await journal.run(stop.signal, (state) => {
      const now = Date.now();
      if (state.error !== error) {
        error = state.error;
        if (error !== undefined) writeStderr(`mox backup: not stored, and tried again: ${error}\n`);
      }
      if (state.notRemoved !== kept) {
        kept = state.notRemoved;
        if (kept !== undefined) writeStderr(`mox backup: old objects are not removed: ${kept}\n`);
      }
      if (state.upToDate === 0 || state.error !== undefined || now - lastLine < tellEvery) return;
      if (lastLine === -Infinity) writeStdout("everything is stored, and what comes is added\n");
      lastLine = now;
      const line = `${state.objects} objects, ${state.bytes} bytes`;
      writeStdout(`${new Date(state.upToDate).toISOString()} ${line}\n`);
      // The record is useful but not essential.
      noteBackup(server.dataDir, { destination, started, ended: now, ok: true, text: line })
        .catch(() => {});
    });
    writeStdout("ended; what was committed until now is stored\n");
  } finally {
    unlisten();
  }
}

export const restore: Command = {
  name: "restore",
  usage: "restore -objects file [-at time] [-list] [folder]",
  summary: "Restore a data folder from an object storage, as it was at a moment",
  help: `
Reads what "mox backup -objects" has stored, with the same file: needs no server and no other configuration. The
data comes into the folder, the configuration into one beside it, with "-config" behind its name. Then check the
folder with "mox verifydata", put both in their places, make them the server user's, and start it. The search
index is made anew.

  -at     the moment, such as 2026-11-30T08:00:00Z; the last that is stored if not given
  -list   only list from when to when can be restored`,
  async run(args) {
    const { flags, args: [folder] } = parseFlags(args, { objects: "", at: "", list: false }, {
      max: 1,
    });
    if (flags.objects === "") throw new UsageError("-objects is missing");
    const at = flags.at === "" ? undefined : Date.parse(flags.at);
    if (Number.isNaN(at)) throw new UsageError(`${flags.at} is no time`);
    const { config, key, bucket } = await opened(resolve(flags.objects));
    const time = (ms: number) => new Date(ms).toISOString();
    if (flags.list) {
      for (const [, objects] of await storedGenerations(bucket, config.Prefix)) {
        const times = objects.flatMap((o) => o.time ?? []);
        if (times.length === 0) continue;
        writeStdout(`${time(times[0])} to ${time(times.at(-1)!)}, ${objects.length} objects\n`);
      }
      return;
    }
    if (folder === undefined) throw new UsageError("a folder is expected");
    const dataDir = resolve(folder);
    const configDir = `${dataDir}-config`;
    for (const dir of [dataDir, configDir]) {
      await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
      for await (const e of Deno.readDir(dir)) {
        throw new Error(`${dir} is not empty, it has ${e.name}: give a new folder`);
      }
    }
    const options = { prefix: config.Prefix, key, at, dataDir, configDir };
    const done = await restoreObjects(options, bucket, (line) => writeStdout(`${line}\n`));
    writeStdout(`restored as of ${time(done)}\n`);
  },
};
