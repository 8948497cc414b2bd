/** Memory of processes over time, as a table, and whether it goes on rising. @module */

/** Megabytes at a time. */
export interface Sample {
  minute: number;
  resident: number;
  heap: number;
  external: number;
  /** Of `backup -watch`. */
  watch: number;
}

/** Resident memory of a process, in megabytes (Linux). */
export async function resident(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

const columns = ["resident", "heap", "external", "watch"] as const;

function mean(samples: readonly Sample[], what: (typeof columns)[number]): number {
  return samples.reduce((sum, s) => sum + s[what], 0) / samples.length;
}

/** Means of each stretch of so many minutes. */
export function table(samples: readonly Sample[], minutes: number): string {
  const lines = ["minutes     resident    heap  external   watch   (MB, means)"];
  for (let from = 0; from <= samples.at(-1)!.minute; from += minutes) {
    const part = samples.filter((s) => s.minute >= from && s.minute < from + minutes);
    if (part.length === 0) continue;
    const values = columns.map((c) => mean(part, c).toFixed(0).padStart(8));
    lines.push(`${`${from}-${from + minutes}`.padEnd(10)} ${values.join(" ")}`);
  }
  return lines.join("\n");
}

/** Share by which memory is larger in the last third of the time than in the third before it. */
export function rise(samples: readonly Sample[], what: "resident" | "heap" | "watch"): number {
  const third = (k: number) =>
    mean(
      samples.slice(
        Math.floor(samples.length * k / 3),
        Math.floor(samples.length * (k + 1) / 3),
      ),
      what,
    );
  return third(2) / third(1) - 1;
}
