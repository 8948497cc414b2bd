import { defaultJunkParams, messageWords } from "./src/junk/mod.ts";
import { classifyWords } from "./src/junk/score.ts";
const all0 = JSON.parse(Deno.readTextFileSync("/tmp/h29/x/corpus.json")) as any[];
const seen = new Set<string>();
const corpus = all0.filter((m) => { const k = JSON.stringify(m.texts) + m.headers.find((h: any) => h[0] === "subject")?.[1]; if (seen.has(k)) return false; seen.add(k); return true; });
function rng(seed: number) { return () => { seed = (seed * 1664525 + 1013904223) >>> 0; return seed / 2 ** 32; }; }
function shuffle<T>(a: T[], r: () => number) { a = [...a]; for (let i = a.length - 1; i > 0; i--) { const j = Math.floor(r() * (i + 1)); [a[i], a[j]] = [a[j], a[i]]; } return a; }
const idx = corpus.map((_, i) => i);
const time = [...idx].sort((a, b) => corpus[a].when - corpus[b].when);
const groups: [string, [number[], number[]][]][] = [
  ["rand", [7, 8, 9].map((s) => { const x = shuffle(idx, rng(s)); return [x.slice(0, x.length >> 1), x.slice(x.length >> 1)]; })],
  ["time½", [[time.slice(0, time.length >> 1), time.slice(time.length >> 1)]]],
  ["time⅔", [[time.slice(0, time.length * 2 / 3 | 0), time.slice(time.length * 2 / 3 | 0)]]],
  ["100", [7, 8, 9, 10].map((s) => { const x = shuffle(idx, rng(s)); return [x.slice(0, 100), x.slice(100)]; })],
  ["500", [7, 8, 9].map((s) => { const x = shuffle(idx, rng(s)); return [x.slice(0, 500), x.slice(500)]; })],
];
const t0 = performance.now();
const words = corpus.map((m) => [...messageWords({ headers: m.headers, texts: m.texts, attachments: m.attachments }, defaultJunkParams)]);
console.log("ms/msg", (performance.now() - t0) / corpus.length, "words", words.reduce((a, w) => a + w.length, 0) / corpus.length);
for (const p of [defaultJunkParams, { ...defaultJunkParams, RareWords: 0 }, { ...defaultJunkParams, MaxPower: 0.001, RareWords: 0 }]) {
  const row: string[] = [];
  for (const [gn, list] of groups) {
    const acc = [0, 0], fixed = [0, 0, 0, 0];
    for (const [train, test] of list) {
      const c = new Map<string, { ham: number; spam: number }>(); let nh = 0, ns = 0;
      for (const i of train) { corpus[i].ham ? nh++ : ns++; for (const w of words[i]) { let x = c.get(w); if (!x) c.set(w, x = { ham: 0, spam: 0 }); corpus[i].ham ? x.ham++ : x.spam++; } }
      const hams: number[] = [], spams: number[] = [];
      for (const i of test) (corpus[i].ham ? hams : spams).push(classifyWords(p, words[i], (w) => c.get(w), nh, ns).probability);
      hams.sort((a, b) => b - a);
      [0.001, 0.01].forEach((q, j) => { const th = hams[Math.floor(hams.length * q)]; acc[j] += 100 * spams.filter((s) => s > th).length / spams.length / list.length; });
      [0.9, 0.9999].forEach((th, j) => { fixed[2 * j] += 100 * hams.filter((s) => s > th).length / hams.length / list.length; fixed[2 * j + 1] += 100 * spams.filter((s) => s > th).length / spams.length / list.length; });
    }
    row.push(`${gn} ${acc[0].toFixed(1)}/${acc[1].toFixed(1)} (>.9: ${fixed[0].toFixed(2)}% ${fixed[1].toFixed(1)}%; >.9999: ${fixed[2].toFixed(2)}% ${fixed[3].toFixed(1)}%)`);
  }
  console.log(`Rare ${p.RareWords} Max ${p.MaxPower}: ${row.join("\n   ")}`);
}
