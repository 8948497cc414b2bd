import { rich } from "./zz_exp.ts";
const all0 = JSON.parse(Deno.readTextFileSync("/tmp/h29/x/corpus.json")) as any[];
const seen = new Set<string>();
const corpus = all0.filter((m) => {
  const k = JSON.stringify(m.texts) + m.headers.find((h: any) => h[0] === "subject")?.[1];
  if (seen.has(k)) return false;
  seen.add(k);
  return true;
});
function rng(seed: number) {
  return () => {
    seed = (seed * 1664525 + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}
function shuffle<T>(a: T[], r: () => number) {
  a = [...a];
  for (let i = a.length - 1; i > 0; i--) {
    const j = Math.floor(r() * (i + 1));
    [a[i], a[j]] = [a[j], a[i]];
  }
  return a;
}
const time = [...corpus].sort((a, b) => a.when - b.when);
const sh = shuffle(corpus, rng(7));
const splits: [string, any[], any[]][] = [
  ["random", sh.slice(0, sh.length / 2 | 0), sh.slice(sh.length / 2 | 0)],
  ["time", time.slice(0, time.length / 2 | 0), time.slice(time.length / 2 | 0)],
  ["time2/3", time.slice(0, time.length * 2 / 3 | 0), time.slice(time.length * 2 / 3 | 0)],
  ["100", sh.slice(0, 100), sh.slice(100)],
  ["500", sh.slice(0, 500), sh.slice(500)],
];
const variants: [string, any][] = [
  ["plain", {}],
  ["misc", { misc: 1 }],
  ["struct+html+misc", { struct: 1, html: 1, misc: 1 }],
  ["all", { hdr: 1, rcvd: 1, struct: 1, html: 1, misc: 1 }],
  ["all+bi", { hdr: 1, rcvd: 1, struct: 1, html: 1, misc: 1, bi: 1 }],
];
for (const [vn, o] of variants) {
  const tok = rich(o);
  const ids = new Map<string, number>();
  const feats = new Map<any, Int32Array>();
  for (const m of corpus) {
    const a: number[] = [];
    for (const w of tok(m)) {
      let i = ids.get(w);
      if (i === undefined) ids.set(w, i = ids.size);
      a.push(i);
    }
    feats.set(m, Int32Array.from(a));
  }
  for (
    const [passes, lr, norm] of [[1, 0.5, 1], [3, 0.5, 1], [1, 0.05, 0], [5, 0.02, 0]] as const
  ) {
    const row: string[] = [];
    let worst = "";
    for (const [sn, train, test] of splits) {
      const w = new Float64Array(ids.size), g = new Float64Array(ids.size).fill(1e-8);
      let b = 0;
      for (let p = 0; p < passes; p++) {
        for (
          const m of (sn.startsWith("time") && passes === 1 ? train : shuffle(train, rng(p + 3)))
        ) {
          const f = feats.get(m)!;
          const x = norm ? 1 / Math.sqrt(f.length) : 1;
          let z = b;
          for (const i of f) z += w[i] * x;
          const pr = 1 / (1 + Math.exp(-z));
          const y = m.ham ? 0 : 1;
          const e = pr - y;
          for (const i of f) {
            if (norm) w[i] -= lr * 10 * e * x;
            else w[i] -= lr * e;
          }
          b -= lr * 0.1 * e;
        }
      }
      const hams: [number, string][] = [], spams: number[] = [];
      for (const m of test) {
        const f = feats.get(m)!;
        const x = norm ? 1 / Math.sqrt(f.length) : 1;
        let z = b;
        for (const i of f) z += w[i] * x;
        m.ham ? hams.push([z, m.name]) : spams.push(z);
      }
      hams.sort((a, c) => c[0] - a[0]);
      const at = (q: number) => {
        const th = hams[Math.floor(hams.length * q)][0];
        return (100 * spams.filter((s) => s > th).length / spams.length).toFixed(1);
      };
      row.push(`${sn} ${at(0.001)}/${at(0.01)}`);
      if (sn === "random" && passes === 3) {
        worst = hams.slice(0, 5).map((h) => h[1].slice(0, 17) + " " + h[0].toFixed(1)).join(", ");
      }
    }
    console.log(`${vn} LR p=${passes} lr=${lr} norm=${norm}: ${row.join(" | ")} ${worst}`);
  }
}
