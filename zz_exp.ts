import { textWords } from "./src/junk/words.ts";
import { htmlText } from "./src/mail/text/html_text.ts";
import { defaultJunkParams, messageWords } from "./src/junk/mod.ts";
const all = JSON.parse(Deno.readTextFileSync("/tmp/h29/x/corpus.json")) as any[];
const seen = new Set<string>();
const corpus = all.filter((m) => {
  const k = JSON.stringify(m.texts) + m.headers.find((h: any) => h[0] === "subject")?.[1];
  if (seen.has(k)) return false;
  seen.add(k);
  return true;
});
console.log(corpus.length, corpus.filter((m) => m.ham).length, "ham");
type Tok = (m: any) => Set<string>;
const base: Tok = (m) =>
  messageWords(
    { headers: m.headers, texts: m.texts, attachments: m.attachments },
    defaultJunkParams,
  );
const hdr = (m: any, n: string) =>
  m.headers.filter((h: any) => h[0] === n).map((h: any) => h[1] as string);
export const rich = (o: any): Tok => (m) => {
  const w = new Set<string>();
  const isList = hdr(m, "list-id").length > 0 || hdr(m, "list-post").length > 0;
  const addWords = (prefix: string, text: string, min = 2) => {
    const f = new Set<string>();
    textWords(text.slice(0, 2000), { ...defaultJunkParams, Twograms: false }, f);
    for (const x of f) if (x.length >= min) w.add(prefix + x);
  };
  for (const [n, v] of m.headers) {
    if (["from", "reply-to", "subject", "to", "cc"].includes(n)) addWords(n + ":", v);
    if (n === "subject" && o.bi) {
      const f = new Set<string>();
      textWords(v, { ...defaultJunkParams, Onegrams: false, Twograms: true }, f);
      for (const x of f) w.add("subject:" + x);
    }
    if (o.hdr) {
      if (n === "x-mailer" || n === "user-agent") {
        const x = v.toLowerCase().replace(/[\d.]+.*$/, "").trim().slice(0, 30);
        w.add("mailer:" + x);
      }
      if (n === "content-type") {
        w.add("ctype:" + v.split(";")[0].trim().toLowerCase());
        const b = /boundary="?([^";]+)/i.exec(v);
        if (b) {
          w.add("bnd:" + b[1].replace(/[0-9]+/g, "9").replace(/[a-f]{2,}/gi, "h").slice(0, 12));
        }
      }
      if (n === "message-id") {
        const host = v.replace(/^.*@/, "").replace(/>.*$/, "").toLowerCase();
        w.add("mid:" + host.split(".").slice(-2).join("."));
        w.add(
          "midform:" +
            v.replace(/@.*/, "").replace(/[0-9]+/g, "9").replace(/[a-z]+/g, "a").replace(
              /[A-Z]+/g,
              "A",
            ).slice(0, 20),
        );
      }
      if (n === "from") {
        const d = /@([a-z0-9.-]+)/i.exec(v);
        if (d) w.add("fromdom:" + d[1].toLowerCase());
        if (/\d{3,}/.test(v)) w.add("from:digits");
      }
      if (n === "subject") {
        if (v === v.toUpperCase() && /[A-Z]{5}/.test(v)) w.add("subj:CAPS");
        if (/!/.test(v)) w.add("subj:!");
        if (/\s{5,}/.test(v)) w.add("subj:gap");
        if (/^re:/i.test(v)) w.add("subj:re");
      }
      if (n === "date") {
        const z = /([+-]\d{4})/.exec(v);
        w.add("zone:" + (z?.[1] ?? "none"));
      }
      if (
        n === "precedence" || n === "x-priority" || n === "importance" ||
        n === "content-transfer-encoding" || n === "mime-version"
      ) w.add(n + "=" + v.toLowerCase().slice(0, 30));
      w.add("has:" + n);
    }
  }
  if (o.rcvd) {
    const r = hdr(m, "received");
    w.add("hops:" + Math.min(r.length, 9));
    for (const v of r.slice(0, o.rcvd)) {
      for (const x of v.toLowerCase().split(/[^a-z0-9.\-]+/)) {
        if (x.length > 2 && /[a-z]/.test(x) && !/^\d/.test(x)) {
          const d = x.split(".").slice(-2).join(".");
          w.add("rcvd:" + d);
        }
      }
      const ip = /\[(\d+\.\d+)\./.exec(v);
      if (ip) w.add("ip:" + ip[1]);
    }
  }
  if (o.struct) {
    w.add("root:" + m.root);
    w.add("parts:" + Math.min(m.parts.length, 5));
    for (const p of m.parts) {
      w.add(`part:${p[0]}/${p[1]}`);
      if (p[2]) w.add("cs:" + p[2].toLowerCase());
      w.add("cte:" + p[4]);
    }
    if (m.texts.some((t: any) => t.html) && !m.texts.some((t: any) => !t.html)) {
      w.add("part:htmlonly");
    }
    w.add("size:" + Math.round(Math.log2(m.size + 1)));
  }
  let left = 128 * 1024;
  for (const t of m.texts) {
    if (left <= 0) break;
    let text = t.text.slice(0, left * 2);
    if (t.html) {
      if (o.html) {
        for (const [, tag] of text.slice(0, 100000).matchAll(/<([a-z][a-z0-9]{0,10})\b/gi)) {
          w.add("tag:" + tag.toLowerCase());
        }
        for (
          const [, k, v] of text.slice(0, 100000).matchAll(
            /\b(color|bgcolor|size|face|width|height|align)\s*=\s*["']?([#\w%-]{1,20})/gi,
          )
        ) w.add(`attr:${k.toLowerCase()}=${v.toLowerCase()}`);
        if (/<!--/.test(text)) w.add("html:comment");
      }
      const s = htmlText(text);
      text = s.text.slice(0, left);
      for (const l of s.links) {
        const u = /^https?:\/\/([^\/?#:]+)([^?#]*)/i.exec(l);
        if (u) {
          const h = u[1].toLowerCase();
          w.add("url:" + h);
          w.add("urld:" + h.split(".").slice(-2).join("."));
          if (/^\d+\.\d+/.test(h)) w.add("url:ip");
          for (const p of u[2].toLowerCase().split(/[^a-z]+/)) if (p.length > 2) w.add("urlp:" + p);
        } else if (/^mailto:/i.test(l)) w.add("url:mailto");
      }
    }
    for (const [, host, path] of text.matchAll(/https?:\/\/([a-z0-9.-]+)([^\s<>"]*)/gi)) {
      const h = host.toLowerCase();
      w.add("url:" + h);
      w.add("urld:" + h.split(".").slice(-2).join("."));
      for (const p of path.toLowerCase().split(/[^a-z]+/)) if (p.length > 2) w.add("urlp:" + p);
    }
    left -= text.length;
    if (o.misc) {
      if (/\$\s?\d/.test(text)) w.add("txt:money");
      if (/\b1-?8\d\d-\d{3}/.test(text)) w.add("txt:tollfree");
      if (/%/.test(text)) w.add("txt:percent");
      const caps = text.match(/\b[A-Z]{4,}\b/g)?.length ?? 0;
      w.add("caps:" + Math.min(6, Math.round(Math.log2(caps + 1))));
      const ex = text.match(/!/g)?.length ?? 0;
      w.add("excl:" + Math.min(5, Math.round(Math.log2(ex + 1))));
      if (/^>/m.test(text)) w.add("txt:quote");
      if (/^-- ?$/m.test(text)) w.add("txt:sig");
      if (/^On .* wrote:$/m.test(text)) w.add("txt:wrote");
    }
    textWords(text, { ...defaultJunkParams, Twograms: !!o.bi }, w);
  }
  for (const n of m.attachments) w.add("file:" + n.slice(n.lastIndexOf(".") + 1).toLowerCase());
  return w;
};
// scoring
type Counts = Map<string, [number, number]>;
function chi2Q(x: number, df: number) {
  const m = x / 2;
  let sum = Math.exp(-m), term = sum;
  if (sum === 0) { // normal approx in log space
    let logTerm = -m, logs = [logTerm];
    for (let i = 1; i < df / 2; i++) {
      logTerm += Math.log(m / i);
      logs.push(logTerm);
    }
    const mx = Math.max(...logs);
    return Math.min(1, Math.exp(mx) * logs.reduce((a, b) => a + Math.exp(b - mx), 0));
  }
  for (let i = 1; i < df / 2; i++) {
    term *= m / i;
    sum += term;
  }
  return Math.min(1, sum);
}
export interface S {
  s: number;
  x: number;
  dev: number;
  max: number;
  top?: number;
  comb: "fisher" | "naive" | "sum";
}
function score(words: Iterable<string>, c: Counts, nh: number, ns: number, p: S) {
  const ps: number[] = [];
  for (const w of words) {
    const n = c.get(w);
    if (!n) continue;
    const h = n[0] / Math.max(1, nh), s = n[1] / Math.max(1, ns);
    const r = s / (s + h);
    const t = n[0] + n[1];
    let f = (p.s * p.x + t * r) / (p.s + t);
    f = Math.min(Math.max(f, p.max), 1 - p.max);
    if (Math.abs(f - 0.5) >= p.dev) ps.push(f);
  }
  if (p.top && ps.length > p.top) {
    ps.sort((a, b) => Math.abs(b - 0.5) - Math.abs(a - 0.5));
    ps.length = p.top;
  }
  if (ps.length === 0) return 0.5;
  let lh = 0, ls = 0;
  for (const f of ps) {
    ls += Math.log(f);
    lh += Math.log(1 - f);
  }
  if (p.comb === "fisher") {
    const H = chi2Q(-2 * lh, 2 * ps.length);
    const Sp = chi2Q(-2 * ls, 2 * ps.length);
    return (1 + Sp - H) / 2 + 1e-9 * (ls - lh);
  }
  if (p.comb === "sum") return (ls - lh) / Math.sqrt(ps.length);
  return ls - lh;
}
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
  ["random half", sh.slice(0, sh.length / 2 | 0), sh.slice(sh.length / 2 | 0)],
  ["time half", time.slice(0, time.length / 2 | 0), time.slice(time.length / 2 | 0)],
  ["time 2/3", time.slice(0, time.length * 2 / 3 | 0), time.slice(time.length * 2 / 3 | 0)],
  ["100", sh.slice(0, 100), sh.slice(100)],
  ["500", sh.slice(0, 500), sh.slice(500)],
];
export function evaluate(name: string, tok: Tok, ps: S[]) {
  const words = new Map<any, string[]>();
  let n = 0;
  const t0 = performance.now();
  for (const m of corpus) {
    const w = [...tok(m)];
    words.set(m, w);
    n += w.length;
  }
  console.log(
    `== ${name}: ${(n / corpus.length).toFixed(0)} words/msg, ${
      ((performance.now() - t0) / corpus.length).toFixed(2)
    } ms/msg`,
  );
  for (const p of ps) {
    const row: string[] = [];
    for (const [sn, train, test] of splits) {
      const c: Counts = new Map();
      let nh = 0, ns = 0;
      for (const m of train) {
        m.ham ? nh++ : ns++;
        for (const w of words.get(m)!) {
          let x = c.get(w);
          if (!x) c.set(w, x = [0, 0]);
          x[m.ham ? 0 : 1]++;
        }
      }
      const hams: number[] = [], spams: number[] = [];
      for (const m of test) (m.ham ? hams : spams).push(score(words.get(m)!, c, nh, ns, p));
      hams.sort((a, b) => b - a);
      const at = (q: number) => {
        const k = Math.floor(hams.length * q);
        const th = hams[k];
        return (100 * spams.filter((s) => s > th).length / spams.length).toFixed(1);
      };
      row.push(`${sn} ${at(0.001)}/${at(0.01)}`);
    }
    console.log(
      `  ${p.comb} s=${p.s} dev=${p.dev} max=${p.max} top=${p.top ?? "-"}: ${row.join(" | ")}`,
    );
  }
}
if (import.meta.main) {
  const f = (o: Partial<S> = {}): S => ({
    s: 0.3,
    x: 0.5,
    dev: 0.1,
    max: 0.001,
    comb: "fisher",
    ...o,
  });
  evaluate("base", base, [
    f(),
    f({ comb: "naive" }),
    f({ comb: "naive", top: 20, max: 0.01 }),
    f({ s: 0.0178, dev: 0.375 }),
  ]);
  evaluate("plain", rich({}), [f(), f({ comb: "naive" }), f({ s: 0.0178, dev: 0.375 })]);
  const o = { hdr: 1, rcvd: 1, struct: 1, html: 1, misc: 1 };
  evaluate("all", rich(o), [
    f(),
    f({ comb: "naive" }),
    f({ comb: "sum" }),
    f({ dev: 0.3 }),
    f({ dev: 0.2, s: 0.1 }),
    f({ s: 0.0178, dev: 0.375 }),
  ]);
  evaluate("all+bi", rich({ ...o, bi: 1 }), [
    f(),
    f({ comb: "naive" }),
    f({ comb: "sum" }),
    f({ dev: 0.3 }),
    f({ s: 0.0178, dev: 0.375 }),
  ]);
}
