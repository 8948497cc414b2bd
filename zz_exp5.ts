import { rich } from "./zz_exp.ts";
import { type P, run } from "./zz_exp3.ts";
import { textWords } from "./src/junk/words.ts";
import { defaultJunkParams } from "./src/junk/mod.ts";
const f = (o: Partial<P> = {}): P => ({ s: 0.5, dev: 0.1, max: 0.001, comb: "fdiff", ...o });
const skip = new Set(["from", "to", "cc", "reply-to", "subject", "date"]);
const heads = (o: any, list: boolean) => (m: any) => {
  const w = rich(o)(m);
  for (const [n, v] of m.headers) {
    if (skip.has(n)) continue;
    if (
      !list &&
      /^(list-|x-beenthere|errors-to|x-mailman|sender|precedence|delivered-to|x-spam)/.test(n)
    ) continue;
    const p = n === "received" ? "rcvd:" : n === "return-path" ? "rtrn:" : "head:";
    for (const x of v.slice(0, 600).split(/[^A-Za-z0-9.\-$!_]+/)) {
      if (x.length >= 3 && x.length <= 30 && !/^[\d.:-]+$/.test(x) && !/\d{4}/.test(x)) {
        w.add(p + x);
      }
    }
  }
  return w;
};
const Ps = [
  f(),
  f({ s: 0.0178, dev: 0.375 }),
  f({ s: 0.1, dev: 0.3 }),
  f({ s: 0.3, dev: 0.2 }),
  f({ s: 1 }),
];
run("heads+list", heads({ misc: 1 }, true), Ps);
run("heads-nolist", heads({ misc: 1 }, false), Ps);
