/** Runs `localserve` as its own process, as a developer would, in a folder and on ports of its own. */
import { fileURLToPath } from "node:url";
import { returnOffset, takeOffset } from "../support/ports.ts";

const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
/** What the task "localserve" of deno.json grants. */
const permissions = ["net", "read", "write", "env", "sys"].map((p) => `--allow-${p}`);

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a subcommand to its end. */
export async function mox(args: string[], stdin = ""): Promise<Ended> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, main, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const text = (b: Uint8Array) => new TextDecoder().decode(b);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

export interface Ports {
  smtp: number;
  submission: number;
  submissions: number;
  imap: number;
  imaps: number;
}

export interface Localserve extends Ports {
  dir: string;
  offset: number;
  /** Sends a signal and waits for the end. */
  signal(name: Deno.Signal): Promise<number>;
  /** `mox stop`, waits for the end, returns the exit status. */
  stop(): Promise<number>;
  /** Stops if it runs still, and removes the folder. */
  close(): Promise<void>;
}

/** Starts a server, and waits until it says that it runs. A given folder is used again. */
export async function startLocalserve(given?: { dir: string; offset: number }) {
  const dir = given?.dir ?? await Deno.makeTempDir({ prefix: "mox-interop-" });
  const offset = given?.offset ?? takeOffset();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, main, "localserve", "-dir", dir].concat(
      ["-ports", String(offset)],
    ),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let log = "";
  const errors = (async () => {
    for await (const s of child.stderr.pipeThrough(new TextDecoderStream())) {
      log = (log + s).slice(-20_000);
    }
  })();
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  const output = (async () => {
    let said = "";
    for await (const s of child.stdout.pipeThrough(new TextDecoderStream())) {
      said += s;
      if (said.includes("running")) ready.resolve();
    }
    await errors;
    ready.reject(new Error(`localserve ended: ${log}`));
  })();
  let ended = false;
  const end = async () => {
    const { code } = await child.status;
    await output;
    ended = true;
    return code;
  };
  await ready.promise;
  const server: Localserve = {
    dir,
    offset,
    smtp: 1025 + offset,
    submission: 1587 + offset,
    submissions: 1465 + offset,
    imap: 1143 + offset,
    imaps: 1993 + offset,
    async signal(name) {
      child.kill(name);
      return await end();
    },
    async stop() {
      const r = await mox(["stop", "-dir", dir]);
      if (r.code !== 0) throw new Error(`stop: ${r.stderr}`);
      return await end();
    },
    async close() {
      if (!ended) await server.signal("SIGTERM");
      returnOffset(offset);
      await Deno.remove(dir, { recursive: true });
    },
  };
  return server;
}
