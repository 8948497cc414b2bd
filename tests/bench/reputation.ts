/**
 * `deno run -A tests/bench/reputation.ts`: what an account's history of 50,000 messages costs a delivery, as the
 * median of nine.
 *
 * @module
 */
import { asMailboxId } from "../../src/store/ids.ts";
import { accountHistory } from "../../src/store/messages/history.ts";
import { exceededRate } from "../../src/delivery/analysis_rates.ts";
import { reputation } from "../../src/delivery/reputation.ts";
import { Db } from "../../src/store/database/database.ts";
import { accountMigrations } from "../../src/store/database/schema.ts";
import { fillHistory } from "../delivery/history.ts";
import { day, facts, ham, junk, now, stranger } from "../delivery/scenario.ts";

const dir = await Deno.makeTempDir();
const db = await Db.open(`${dir}/index.db`, accountMigrations);
try {
  // A busy provider, many addresses of it, many networks.
  const past = Array.from({ length: 500 }, (_, i) =>
    (i % 3 === 0 ? junk : ham)({
      ...stranger,
      times: 100,
      age: i * day / 5,
      msgFromLocalpart: `user${i}`,
      msgFromDomain: i % 2 === 0 ? "big.example" : `small${i}.example`,
      msgFromOrgDomain: i % 2 === 0 ? "big.example" : `small${i}.example`,
      mailFromDomain: i % 2 === 0 ? "big.example" : `small${i}.example`,
      dkimDomains: i % 2 === 0 ? ["big.example"] : [],
      networks: [`203.0.${i % 250}.1`, `203.0.${i % 250}.0`, `203.0.${i % 8}.0`],
    }));
  fillHistory(db, past, []);
  const history = accountHistory(db);
  for (
    const [name, f] of [
      ["unknown", facts()],
      [
        "new address of a busy provider",
        facts({
          msgFromLocalpart: "new",
          msgFromDomain: "big.example",
          msgFromOrgDomain: "big.example",
        }),
      ],
      [
        "unverified, null sender, busy network",
        facts({
          msgFromValidated: false,
          mailFromDomain: "",
          mailFromLocalpart: "",
          networks: ["203.0.3.77", "203.0.3.64", "203.0.3.0"],
        }),
      ],
    ] as const
  ) {
    const times = Array.from({ length: 9 }, () => {
      const start = performance.now();
      exceededRate(history, f.networks, 1000, now);
      reputation(history, f, asMailboxId(1), now);
      return performance.now() - start;
    }).sort((a, b) => a - b);
    console.log(`${name}: ${times[4].toFixed(2)} ms`);
  }
} finally {
  await db.close();
  await Deno.remove(dir, { recursive: true });
}
