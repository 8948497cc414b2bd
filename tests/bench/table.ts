/** Rows of measurements, two servers beside each other. @module */

/** Which of the two: this server or the peer. */
export type Side = "a" | "b";

interface Measured {
  name: string;
  unit: string;
  higherIsBetter: boolean;
  a: number[];
  b: number[];
}

const rows: Measured[] = [];

/** Adds a value; the name's first use makes the row. */
export function record(
  name: string,
  unit: "ms" | "msg/s" | "/s" | "MB",
  side: Side,
  value: number,
): void {
  let row = rows.find((r) => r.name === name);
  if (!row) {
    rows.push(row = { name, unit, higherIsBetter: unit.endsWith("/s"), a: [], b: [] });
  }
  row[side].push(value);
}

function median(list: number[]): number {
  const s = [...list].sort((x, y) => x - y);
  return s[s.length >> 1] ?? NaN;
}

/**
 * Medians, and the values of each round, the first of them cold; above 1 the ratio of medians says that this server is
 * better.
 */
export function printTable(): void {
  console.log(
    "| what | unit | mox | Postfix+Dovecot | ratio | rounds |\n|---|---|---|---|---|---|",
  );
  for (const r of rows) {
    const [a, b] = [median(r.a), median(r.b)];
    const ratio = r.higherIsBetter ? a / b : b / a;
    const digits = (n: number) => n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0);
    const rounds = `${r.a.map(digits).join(" ")} : ${r.b.map(digits).join(" ")}`;
    console.log(
      `| ${r.name} | ${r.unit} | ${digits(a)} | ${digits(b)} | ${ratio.toFixed(2)} | ${rounds} |`,
    );
  }
}
