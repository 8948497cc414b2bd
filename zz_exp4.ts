import { rich } from "./zz_exp.ts";
import { type P, run } from "./zz_exp3.ts";
const f = (o: Partial<P> = {}): P => ({ s: 1, dev: 0.1, max: 0.001, comb: "fdiff", ...o });
for (
  const o of [{ hdr: 1, rcvd: 3, misc: 1, struct: 1 }, { hdr: 1, rcvd: 3, misc: 1 }, {
    rcvd: 3,
    misc: 1,
  }]
) {
  run(JSON.stringify(o), rich(o), [
    f(),
    f({ comb: "f" }),
    f({ s: 0.5 }),
    f({ s: 2 }),
    f({ s: 1, max: 0.01 }),
  ]);
}
