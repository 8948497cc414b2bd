/** A mail server that runs for a benchmark: this one or a peer. */
export interface Peer {
  name: string;
  smtpPort: number;
  imapPort: number;
  /** IMAP with TLS from the start; the certificate has a P-256 key. */
  imapsPort: number;
  user: string;
  password: string;
  /** Address to which the SMTP load is sent; lands in the user's INBOX. */
  recipient: string;
  /** MB of memory that its processes use; shared pages count in part. */
  memory(): Promise<number>;
  /** Milliseconds of CPU that its processes have taken so far, those that have ended left out. */
  cpu(): Promise<number>;
  stop(): Promise<void>;
}

/** A TCP port of loopback that is free now. */
export function freePort(): number {
  const l = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = (l.addr as Deno.NetAddr).port;
  l.close();
  return port;
}

/** Resolves when something answers on the port; rejects after the given milliseconds. */
export async function waitForPort(port: number, timeout = 15_000): Promise<void> {
  const end = Date.now() + timeout;
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (err) {
      if (Date.now() > end) throw err;
      await new Promise((r) => setTimeout(r, 50));
    }
  }
}

/** MB of a process, its part of shared pages; 0 if it is gone. */
export async function processMemory(pid: number): Promise<number> {
  try {
    const text = await Deno.readTextFile(`/proc/${pid}/smaps_rollup`);
    return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Milliseconds of CPU of a process's threads; 0 if it is gone. */
export async function processCpu(pid: number): Promise<number> {
  let sum = 0;
  try {
    for await (const task of Deno.readDir(`/proc/${pid}/task`)) {
      const text = await Deno.readTextFile(`/proc/${pid}/task/${task.name}/schedstat`)
        .catch(() => "0");
      sum += Number(text.split(" ")[0]) / 1e6;
    }
  } catch {
    // It has ended.
  }
  return sum;
}

/** Process ids of a process and all that it started. */
export async function processTree(root: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  for await (const e of Deno.readDir("/proc")) {
    const pid = Number(e.name);
    if (!Number.isInteger(pid)) continue;
    try {
      const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...children.get(parent) ?? [], pid]);
    } catch {
      // It has ended meanwhile.
    }
  }
  const all = [root];
  for (let i = 0; i < all.length; i++) all.push(...children.get(all[i]) ?? []);
  return all;
}
