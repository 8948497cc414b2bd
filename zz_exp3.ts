import { rich } from "./zz_exp.ts";
import { defaultJunkParams, messageWords } from "./src/junk/mod.ts";
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
const idx = corpus.map((_, i) => i);
const time = [...idx].sort((a, b) => corpus[a].when - corpus[b].when);
const groups: [string, [number[], number[]][]][] = [
  [
    "rand",
    [7, 8, 9].map((s) => {
      const x = shuffle(idx, rng(s));
      return [x.slice(0, x.length >> 1), x.slice(x.length >> 1)];
    }),
  ],
  ["time½", [[time.slice(0, time.length >> 1), time.slice(time.length >> 1)]]],
  ["time⅔", [[time.slice(0, time.length * 2 / 3 | 0), time.slice(time.length * 2 / 3 | 0)]]],
  [
    "100",
    [7, 8, 9, 10].map((s) => {
      const x = shuffle(idx, rng(s));
      return [x.slice(0, 100), x.slice(100)];
    }),
  ],
  [
    "500",
    [7, 8, 9].map((s) => {
      const x = shuffle(idx, rng(s));
      return [x.slice(0, 500), x.slice(500)];
    }),
  ],
];
export function lnChi(x: number, n2: number) { // ln of upper tail Q(x, 2n)
  const m = x / 2, n = n2 / 2;
  let lt = -m, mx = lt;
  const logs = [lt];
  for (let i = 1; i < n; i++) {
    lt += Math.log(m / i);
    logs.push(lt);
    if (lt > mx) mx = lt;
  }
  let s = 0;
  for (const l of logs) s += Math.exp(l - mx);
  return Math.min(0, mx + Math.log(s));
}
export interface P {
  s: number;
  dev: number;
  max: number;
  comb: string;
  top?: number;
}
export function score(
  f: Int32Array,
  h: Int32Array,
  sp: Int32Array,
  nh: number,
  ns: number,
  p: P,
): number {
  const ps: number[] = [];
  for (const i of f) {
    const a = h[i], b = sp[i];
    if (a + b === 0) continue;
    const x = a / Math.max(1, nh), y = b / Math.max(1, ns);
    let r = (p.s * 0.5 + (a + b) * y / (x + y)) / (p.s + a + b);
    r = Math.min(Math.max(r, p.max), 1 - p.max);
    if (Math.abs(r - 0.5) >= p.dev) ps.push(r);
  }
  if (p.top && ps.length > p.top) {
    ps.sort((a, b) => Math.abs(b - 0.5) - Math.abs(a - 0.5));
    ps.length = p.top;
  }
  if (!ps.length) return 0;
  let lh = 0, ls = 0;
  for (const r of ps) {
    ls += Math.log(r);
    lh += Math.log(1 - r);
  }
  if (p.comb === "naive") return ls - lh;
  if (p.comb === "mean") return (ls - lh) / ps.length;
  if (p.comb === "sqrt") return (ls - lh) / Math.sqrt(ps.length);
  // fisher: S - H in log ratio
  const H = lnChi(-2 * lh, 2 * ps.length), S = lnChi(-2 * ls, 2 * ps.length);
  return p.comb === "fdiff" ? Math.exp(S) - Math.exp(H) + 1e-9 * (S - H) : S - H;
}
export function run(name: string, tok: (m: any) => Set<string>, ps: P[]) {
  const ids = new Map<string, number>();
  let n = 0;
  const feats = corpus.map((m) => {
    const a: number[] = [];
    for (const w of tok(m)) {
      let i = ids.get(w);
      if (i === undefined) ids.set(w, i = ids.size);
      a.push(i);
    }
    n += a.length;
    return Int32Array.from(a);
  });
  console.log(`== ${name} ${(n / corpus.length).toFixed(0)}`);
  const rows = ps.map(() => [] as string[]);
  for (const [gn, list] of groups) {
    const acc = ps.map(() => [0, 0]);
    for (const [train, test] of list) {
      const h = new Int32Array(ids.size), sp = new Int32Array(ids.size);
      let nh = 0, ns = 0;
      for (const i of train) {
        const c = corpus[i].ham ? h : sp;
        corpus[i].ham ? nh++ : ns++;
        for (const w of feats[i]) c[w]++;
      }
      ps.forEach((p, k) => {
        const hams: number[] = [], spams: number[] = [];
        for (const i of test) {
          (corpus[i].ham ? hams : spams).push(score(feats[i], h, sp, nh, ns, p));
        }
        hams.sort((a, b) => b - a);
        [0.001, 0.01].forEach((q, j) => {
          const th = hams[Math.floor(hams.length * q)];
          acc[k][j] += 100 * spams.filter((s) => s > th).length / spams.length / list.length;
        });
      });
    }
    ps.forEach((_, k) => rows[k].push(`${gn} ${acc[k][0].toFixed(1)}/${acc[k][1].toFixed(1)}`));
  }
  ps.forEach((p, k) =>
    console.log(`  ${JSON.stringify(p).replace(/"/g, "")}: ${rows[k].join(" | ")}`)
  );
}
if (import.meta.main) {
  const base = (m: any) =>
    messageWords(
      { headers: m.headers, texts: m.texts, attachments: m.attachments },
      defaultJunkParams,
    );
  const f = (o: Partial<P> = {}): P => ({ s: 0.3, dev: 0.1, max: 0.001, comb: "f", ...o });
  const P1 = [
    f(),
    f({ comb: "fdiff" }),
    f({ comb: "sqrt" }),
    f({ s: 1, dev: 0.1 }),
    f({ s: 0.3, dev: 0.2 }),
    f({ s: 0.3, dev: 0.05, max: 0.0001 }),
    f({ dev: 0.1, top: 150 }),
    f({ dev: 0.1, top: 60 }),
  ];
  run("base", base, P1);
  const P2 = [
    f(),
    f({ comb: "fdiff" }),
    f({ s: 1 }),
    f({ dev: 0.2 }),
    f({ top: 60 }),
    f({ comb: "sqrt" }),
  ];
  for (
    const o of [
      { bi: 1 },
      { misc: 1 },
      { html: 1 },
      { struct: 1 },
      { hdr: 1 },
      { rcvd: 1 },
      { rcvd: 3 },
      { html: 1, struct: 1, misc: 1, bi: 1 },
      { hdr: 1, rcvd: 1, html: 1, struct: 1, misc: 1, bi: 1 },
    ]
  ) run(JSON.stringify(o), rich(o), P2);
}
