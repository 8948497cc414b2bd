/** Machines of a test as networks of their own (Linux), with links to a switch that can be cut. @module */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";

function run(...args: string[]): { success: boolean; text: string } {
  const o = new Deno.Command(args[0], { args: args.slice(1) }).outputSync();
  const text = (b: Uint8Array) => new TextDecoder().decode(b);
  return { success: o.success, text: text(o.stdout) + text(o.stderr) };
}

/** Whether long tests are asked for, and this machine lets us have networks of our own with links between them. */
export function hasNetSpaces(): boolean {
  if (!isLinux || !isRoot() || !Deno.env.get("MOX_TEST_LONG")) return false;
  const link = "ip link add name moxa type veth peer name moxb";
  try {
    return run("unshare", "-n", ...link.split(" ")).success;
  } catch {
    return false;
  }
}

/**
 * Runs a script as the clients, at a switch to which the link `v-NAME` of each machine leads; its only argument begins the
 * names of the machines' networks, `PREFIX-NAME`. Prints what it prints.
 * @param net such as "10.35.0": the clients are at .9, the machines at .1 and on
 */
export function runInNetSpaces(inner: URL, net: string, names: readonly string[]): void {
  const prefix = `mox${Deno.pid}`;
  const clients = `${prefix}-clients`;
  const made: string[] = [];
  const must = (line: string) => {
    const { success, text } = run(...line.split(" "));
    assert.ok(success, `${line}: ${text}`);
  };
  try {
    for (const n of [clients, ...names.map((n) => `${prefix}-${n}`)]) {
      must(`ip netns add ${n}`);
      made.push(n);
      must(`ip -n ${n} link set lo up`);
    }
    const inside = `ip -n ${clients}`;
    must(`${inside} link add name sw type bridge`);
    must(`${inside} addr add ${net}.9/24 dev sw`);
    must(`${inside} link set sw up`);
    for (const [i, n] of names.entries()) {
      const ns = `${prefix}-${n}`;
      must(`${inside} link add v-${n} type veth peer name eth netns ${ns}`);
      must(`${inside} link set v-${n} master sw up`);
      must(`ip -n ${ns} addr add ${net}.${i + 1}/24 dev eth`);
      must(`ip -n ${ns} link set eth up`);
    }
    const lock = fileURLToPath(new URL("../../deno.lock", import.meta.url));
    const { success, text } = run(
      ...["ip", "netns", "exec", clients, Deno.execPath(), "run", "--no-check"],
      // The clients and what cuts the links; the nodes are started from there with the flags that are shipped.
      ...["--allow-net", "--allow-read", "--allow-write", "--allow-env", "--allow-run"],
      ...[`--lock=${lock}`, "--frozen", fileURLToPath(inner), prefix],
    );
    assert.ok(success, text);
    console.log(text);
  } finally {
    for (const n of made) run("ip", "netns", "del", n);
  }
}

/** Runs a command. @throws AssertionError with its error output */
export async function sh(line: string): Promise<void> {
  const [name, ...args] = line.split(" ");
  const { success, stderr } = await new Deno.Command(name, { args }).output();
  assert.ok(success, `${line}: ${new TextDecoder().decode(stderr)}`);
}

/** A program in a machine's network. */
export interface SpaceProgram {
  /** What it has written to its error output. */
  log(): string;
  /** Waits for a line of it. @throws AssertionError if it ends before */
  logged(wanted: RegExp): Promise<void>;
  ended: Promise<number>;
  end(signal: Deno.Signal): Promise<number>;
}

/** Starts a program in the network of a machine. */
export function startIn(space: string, args: string[], env = {}): SpaceProgram {
  const child = new Deno.Command("ip", {
    args: ["netns", "exec", space, ...args],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  let wake = () => {};
  let over = false;
  const ended = (async () => {
    for await (const s of child.stderr.pipeThrough(new TextDecoderStream())) {
      log += s;
      wake();
    }
    const { code } = await child.status;
    over = true;
    wake();
    return code;
  })();
  return {
    log: () => log,
    async logged(wanted) {
      while (!wanted.test(log)) {
        assert.ok(!over, log);
        await new Promise<void>((go) => wake = go);
      }
    },
    ended,
    end(signal) {
      try {
        child.kill(signal);
      } catch {
        // It has ended by itself.
      }
      return ended;
    },
  };
}
