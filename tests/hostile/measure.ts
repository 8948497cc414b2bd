/** Running one input, and what it did to others. */
import type { Localserve } from "../support/localserve.ts";
import { Canary } from "./canary.ts";
import { type Input, pause } from "./peer.ts";

/** What is allowed: milliseconds of waiting, megabytes above the start. */
export interface Bar {
  p99: number;
  longest: number;
  rise: number;
  /** After `settle` milliseconds. */
  left: number;
  settle: number;
}

export interface Measured {
  name: string;
  /** Milliseconds. */
  longest: number;
  p99: number;
  /** Seconds. */
  took: number;
  cpu: number;
  /** Resident megabytes. */
  before: number;
  highest: number;
  after: number;
  /** Unhandled errors. */
  panics: number;
  /** Canary sessions that were cut off. */
  lost: number;
}

async function status(pid: number): Promise<{ rss: number; cpu: number }> {
  const [memory, stat] = await Promise.all([
    Deno.readTextFile(`/proc/${pid}/status`),
    Deno.readTextFile(`/proc/${pid}/stat`),
  ]);
  const times = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    rss: Number(/VmRSS:\s+(\d+)/.exec(memory)![1]) / 1024,
    cpu: (Number(times[11]) + Number(times[12])) / 100,
  };
}

async function panics(server: Localserve): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${server.metrics}/metrics`)).text();
  return [...text.matchAll(/^mox_panic_total\{.*\} (\d+)$/gm)].reduce(
    (n, m) => n + Number(m[1]),
    0,
  );
}

/** Runs the input; `settle` is how long the memory may take to come down again. */
export async function measure(server: Localserve, input: Input, settle: number): Promise<Measured> {
  const canary = new Canary(server);
  try {
    await input.prepare?.(server);
    await pause(1000);
    await canary.take();
    const before = await status(server.pid);
    let highest = before.rss;
    let watching = true;
    const watch = (async () => {
      while (watching) {
        highest = Math.max(highest, (await status(server.pid)).rss);
        await pause(50);
      }
    })();
    const began = performance.now();
    await input.run(server).catch((err) => {
      watching = false;
      throw err;
    });
    const took = (performance.now() - began) / 1000;
    await pause(500);
    const waits = await canary.take();
    watching = false;
    await watch;
    const { cpu } = await status(server.pid);
    const limit = Date.now() + settle;
    let after = (await status(server.pid)).rss;
    while (Date.now() < limit && after > before.rss + 20) {
      await pause(1000);
      after = (await status(server.pid)).rss;
    }
    return {
      name: input.name,
      ...waits,
      took,
      cpu: cpu - before.cpu,
      before: before.rss,
      highest,
      after,
      panics: await panics(server),
    };
  } finally {
    canary.stop();
  }
}

/** A line of the table; without a measurement its head. */
export function row(m?: Measured): string {
  const cells = m === undefined
    ? ["input", "longest ms", "p99 ms", "took s", "CPU s", "RSS MB", "highest", "after", "errors"]
    : [
      m.name,
      m.longest.toFixed(0),
      m.p99.toFixed(0),
      m.took.toFixed(1),
      m.cpu.toFixed(1),
      m.before.toFixed(0),
      m.highest.toFixed(0),
      m.after.toFixed(0),
      String(m.panics),
    ];
  const line = `| ${cells.join(" | ")} |`;
  return m === undefined ? `${line}\n|${" --- |".repeat(cells.length)}` : line;
}

/** What is above its bar. */
export function wrong(m: Measured, bar: Bar): string[] {
  const found: string[] = [];
  const above = (what: string, value: number, most: number) => {
    if (value > most) found.push(`${m.name}: ${what} ${value.toFixed(0)}, at most ${most}`);
  };
  above("longest wait", m.longest, bar.longest);
  above("p99 of waits", m.p99, bar.p99);
  above("memory above the start", m.highest - m.before, bar.rise);
  above("memory above the start at the end", m.after - m.before, bar.left);
  above("unhandled errors", m.panics, 0);
  above("sessions lost", m.lost, 0);
  return found;
}
