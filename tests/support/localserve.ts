/** Runs the program as its own process, as a developer would: subcommands, and `localserve` on ports of its own. */
import { programArgs, programEnvironment } from "./program.ts";
import { returnOffset, takeOffset } from "./ports.ts";

const command = (args: string[], stdin: "piped" | "null", env?: Record<string, string>) =>
  new Deno.Command(Deno.execPath(), {
    args: programArgs(args),
    env: { ...programEnvironment, ...env },
    stdin,
    stdout: "piped",
    stderr: "piped",
  });

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a subcommand to its end. */
export async function mox(args: string[], stdin = ""): Promise<Ended> {
  const child = command(args, "piped").spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const text = (b: Uint8Array) => new TextDecoder().decode(b);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A subcommand that runs until it is told to end. */
export interface Running {
  pid: number;
  /** Sends a signal and waits for the end; the exit status. */
  signal(name: Deno.Signal): Promise<number>;
  /** Waits for the end; the exit status. */
  ended(): Promise<number>;
  /** The end of what it has logged. */
  log(): string;
  /** What it has said, up to where it has the words. */
  said(words: string): Promise<string>;
}

/**
 * Starts a subcommand, and waits until it has said the word; its log may go to a file too.
 * @param env for this process only: the environment of the tests is shared with files that run beside
 */
export async function startMox(
  args: string[],
  word: string,
  logTo?: string,
  env?: Record<string, string>,
): Promise<Running> {
  const child = command(args, "null", env).spawn();
  let log = "";
  const errors = (async () => {
    for await (const s of child.stderr.pipeThrough(new TextDecoderStream())) {
      log = (log + s).slice(-20_000);
      if (logTo !== undefined) await Deno.writeTextFile(logTo, s, { append: true });
    }
  })();
  let text = "";
  let over = false;
  let waiting: (() => void)[] = [];
  const wake = () => {
    const all = waiting;
    waiting = [];
    for (const each of all) each();
  };
  const output = (async () => {
    for await (const s of child.stdout.pipeThrough(new TextDecoderStream())) {
      text = (text + s).slice(-10_000);
      wake();
    }
    await errors;
    over = true;
    wake();
  })();
  const said = async (words: string): Promise<string> => {
    while (!text.includes(words)) {
      if (over) throw new Error(`${args[0]} ended: ${log}`);
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    return text;
  };
  const ended = async () => {
    const { code } = await child.status;
    await output;
    return code;
  };
  await said(word);
  return {
    pid: child.pid,
    said,
    async signal(name) {
      child.kill(name);
      return await ended();
    },
    ended,
    log: () => log,
  };
}

export interface Ports {
  smtp: number;
  submission: number;
  submissions: number;
  imap: number;
  imaps: number;
  http: number;
  https: number;
  metrics: number;
  managesieve: number;
  pop3: number;
}

/** Ports of a localserve from its offset. */
export function portsAt(offset: number): Ports {
  return {
    smtp: 1025 + offset,
    submission: 1587 + offset,
    submissions: 1465 + offset,
    imap: 1143 + offset,
    imaps: 1993 + offset,
    http: 1080 + offset,
    https: 1443 + offset,
    metrics: 1081 + offset,
    managesieve: 5190 + offset,
    pop3: 1110 + offset,
  };
}

export interface Localserve extends Ports {
  dir: string;
  offset: number;
  pid: number;
  /** Sends a signal and waits for the end. */
  signal(name: Deno.Signal): Promise<number>;
  /** `mox stop`, waits for the end, returns the exit status. */
  stop(): Promise<number>;
  /** Stops if it runs still, and removes the folder. */
  close(): Promise<void>;
}

/** As servers are for everybody: line ends and addresses must be right, and who sends or reads logs in. */
export const strictFlags = ["-strict", "-login"];

/** Starts a server, and waits until it says that it runs. A given folder is used again. */
export async function startLocalserve(
  given?: { dir: string; offset: number; logTo?: string },
  flags: readonly string[] = strictFlags,
): Promise<Localserve> {
  const dir = given?.dir ?? await Deno.makeTempDir({ prefix: "mox-interop-" });
  const offset = given?.offset ?? takeOffset();
  const args = ["localserve", "-dir", dir, "-ports", String(offset), ...flags];
  const running = await startMox(args, "running", given?.logTo);
  let ended = false;
  const server: Localserve = {
    ...portsAt(offset),
    dir,
    offset,
    pid: running.pid,
    async signal(name) {
      const code = await running.signal(name);
      ended = true;
      return code;
    },
    async stop() {
      const r = await mox(["stop", "-dir", dir]);
      if (r.code !== 0) throw new Error(`stop: ${r.stderr}`);
      const code = await running.ended();
      ended = true;
      return code;
    },
    async close() {
      if (!ended) await server.signal("SIGTERM");
      returnOffset(offset);
      await Deno.remove(dir, { recursive: true });
    },
  };
  return server;
}
