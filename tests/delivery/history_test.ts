/** What an account's history says at the edges: ages to the millisecond, shares to the message. */
import assert from "node:assert/strict";
import { accountHistory } from "../../src/store/messages/history.ts";
import { defaultRateLimits, exceededRate } from "../../src/delivery/analysis_rates.ts";
import { reputation } from "../../src/delivery/reputation.ts";
import { Db, type SqlValue } from "../../src/store/database/database.ts";
import { accountMigrations } from "../../src/store/database/schema.ts";
import type { DeliveryFacts } from "../../src/store/types.ts";
import { fillHistory } from "./history.ts";
import {
  day,
  facts,
  ham,
  inbox,
  junk,
  memoryHistory,
  now,
  type Past,
  type Sent,
  sent,
  stranger,
} from "./scenario.ts";

const year = 365 * day;

/** Reputation as `method junk conclusive`, of a message of alice@sender.example. */
function of(past: Past[], recipients: Sent[] = [], over: Partial<DeliveryFacts> = {}): string {
  const r = reputation(memoryHistory(past, recipients), facts(over), inbox, now);
  const junk = r.junk === undefined ? "mixed" : r.junk ? "junk" : "good";
  return r.method === "none" ? "none" : `${r.method} ${junk}${r.conclusive ? "" : "?"}`;
}

/** Nothing in common but the From domain, or the organization's. */
const sameDomain: Partial<Past> = {
  ...stranger,
  msgFromDomain: "sender.example",
  msgFromOrgDomain: "sender.example",
};
const sameOrg: Partial<Past> = {
  ...stranger,
  msgFromDomain: "news.sender.example",
  msgFromOrgDomain: "sender.example",
};
const sameDkim: Partial<Past> = { ...stranger, dkimDomains: ["sender.example"] };
const network = (i: number): Partial<Past> => ({
  ...stranger,
  networks: ["192.0.2.10", "192.0.2.0", "192.0.0.0"].map((n, k) =>
    k < i ? `other${k}` : n
  ) as Past["networks"],
});

Deno.test("each kind of history counts for its time, and not a millisecond longer", () => {
  const cases: [what: string, age: number, make: (age: number) => string, with_: string][] = [
    ["address", 3 * year, (age) => of([ham({ age })]), "msgfromfull good"],
    [
      "written to",
      3 * year,
      (age) => of([], [sent("alice@sender.example", "sender.example", age)]),
      "msgtofull good",
    ],
    ["domain", 2 * year, (age) => of([ham({ ...sameDomain, age })]), "msgfromdomain good"],
    [
      "domain written to",
      2 * year,
      (age) => of([], [sent("bob@sender.example", "sender.example", age)]),
      "msgtodomain good",
    ],
    ["organization", 2 * year, (age) => of([ham({ ...sameOrg, age })]), "msgfromorgdomain good"],
    [
      "organization written to",
      2 * year,
      (age) => of([], [sent("bob@news.sender.example", "sender.example", age)]),
      "msgtoorgdomain good",
    ],
    ["signature", year / 2, (age) => of([ham({ ...sameDkim, age })]), "dkimspf good"],
    ["ip", year / 4, (age) => of([ham({ ...network(0), times: 2, age })]), "ip1 good"],
    ["network", year / 4, (age) => of([ham({ ...network(1), times: 5, age })]), "ip2 good"],
    ["wide network", year / 4, (age) => of([ham({ ...network(2), times: 10, age })]), "ip3 good"],
  ];
  for (const [what, age, make, expected] of cases) {
    assert.equal(make(age), expected, what);
    assert.equal(make(age + 1), "none", `${what}, too old`);
  }
});

Deno.test("of an address the two newest messages count", () => {
  const unverified = { msgFromValidated: false };
  const cases: [what: string, past: Past[], over: Partial<DeliveryFacts>, want: string][] = [
    ["one junk", [junk()], {}, "msgfromfull junk"],
    ["junk, then good", [junk({ age: 2 }), ham({ age: 1 })], {}, "msgfromfull good"],
    ["good, then junk", [ham({ age: 2 }), junk({ age: 1 })], {}, "msgfromfull good"],
    ["junk twice", [ham({ age: 3 }), junk({ age: 2 }), junk({ age: 1 })], {}, "msgfromfull junk"],
    ["unverified both", [junk(unverified)], unverified, "msgfromfull junk?"],
    ["unverified both, good", [ham(unverified)], unverified, "msgfromfull good?"],
    ["was verified, good", [ham()], unverified, "msgfromfull junk?"],
    ["was verified, junk", [junk()], unverified, "msgfromfull junk"],
    [
      "was verified, junk then good",
      [junk({ age: 2 }), ham({ age: 1 })],
      unverified,
      "msgfromfull junk?",
    ],
    ["now verified", [ham({ ...stranger, msgFromValidated: false })], {}, "none"],
    ["another mailbox", [ham({ mailboxId: 9 })], {}, "none"],
    ["expunged", [ham({ expunged: true })], {}, "none"],
    ["not marked", [ham({ notJunk: false })], {}, "none"],
    ["marked as both", [ham({ junk: true })], {}, "none"],
  ];
  for (const [what, past, over, want] of cases) assert.equal(of(past, [], over), want, what);
  const both = [ham(), junk({ times: 3, age: 1 })];
  assert.equal(of(both, [sent("alice@sender.example", "sender.example")]), "msgfromfull junk");
});

Deno.test("shares of junk decide, each at its bound", () => {
  const mix = (over: Partial<Past>, bad: number, good: number, who = 1) =>
    of([
      ...Array.from({ length: bad }, (_, i) => junk({ ...over, msgFromLocalpart: `j${i % who}` })),
      ...(good > 0 ? [ham({ ...over, times: good })] : []),
    ]);
  for (
    const [over, method] of [[sameDomain, "msgfromdomain"], [sameOrg, "msgfromorgdomain"]] as const
  ) {
    assert.equal(mix(over, 1, 5), `${method} good`, "below a fifth");
    assert.equal(mix(over, 1, 4), `${method} mixed?`, "a fifth");
    assert.equal(mix(over, 5, 1), `${method} mixed?`, "one good");
    assert.equal(mix(over, 9, 0, 2), `${method} junk?`, "two addresses");
    assert.equal(mix(over, 3, 0, 3), `${method} junk`, "three addresses");
  }
  assert.equal(mix(sameDkim, 1, 10), "dkimspf good", "below a tenth");
  assert.equal(mix(sameDkim, 1, 9), "dkimspf mixed?", "a tenth");
  assert.equal(mix(sameDkim, 9, 1), "dkimspf mixed?", "nine tenths");
  assert.equal(mix(sameDkim, 10, 1), "dkimspf junk", "above nine tenths");
  assert.equal(mix(sameDkim, 1, 0), "dkimspf junk?", "one alone");
  assert.equal(mix(sameDkim, 2, 0), "dkimspf junk", "two");
  for (const [i, needed] of [2, 5, 10].entries()) {
    const n = network(i);
    const method = `ip${i + 1}`;
    assert.equal(mix(n, 0, needed), `${method} good`);
    assert.equal(mix(n, 0, needed - 1), `${method} good?`, "too few");
    assert.equal(mix(n, needed, 0), `${method} junk`);
    assert.equal(mix(n, needed - 1, 0), `${method} junk?`, "too few");
    assert.equal(mix(n, 1, 9), `${method} good`, "a tenth");
    assert.equal(mix(n, 2, 17), `${method} good?`, "above a tenth");
    assert.equal(mix(n, 1, 3), `${method} mixed?`, "a quarter");
    assert.equal(mix(n, 3, 1), `${method} mixed?`, "three quarters");
    assert.equal(mix(n, 16, 4), `${method} junk?`, "four fifths");
    assert.equal(mix(n, 9, 1), `${method} junk${needed > 10 ? "?" : ""}`, "nine tenths");
  }
});

Deno.test("of all kinds only so many are looked at, the newest", () => {
  // Twenty of a domain, fifty of a signature and of a network.
  const old = (over: Partial<Past>, newest: number) =>
    of([junk({ ...over, age: 100, times: 100 }), ham({ ...over, age: 1, times: newest })]);
  assert.equal(old(sameDomain, 16), "msgfromdomain mixed?");
  assert.equal(old(sameDomain, 17), "msgfromdomain good");
  assert.equal(old(sameDkim, 45), "dkimspf mixed?");
  assert.equal(old(sameDkim, 46), "dkimspf good");
  assert.equal(old(network(0), 44), "ip1 good?");
  assert.equal(old(network(0), 45), "ip1 good");
});

Deno.test("unverified messages of a domain that was verified are suspicious", () => {
  const unverified = { msgFromValidated: false, dkimDomains: [], mailFromValidated: false };
  for (const over of [sameDomain, sameOrg]) {
    const method = over === sameDomain ? "msgfromdomain" : "msgfromorgdomain";
    assert.equal(of([ham(over)], [], unverified), `${method} junk?`);
    assert.equal(of([junk(over)], [], unverified), `${method} junk`);
    assert.equal(
      of([junk({ ...over, age: 2 }), ham({ ...over, age: 1 })], [], unverified),
      `${method} junk?`,
    );
    assert.equal(of([ham({ ...over, ...unverified })], [], unverified), `${method} good`);
  }
});

Deno.test("identities count if SPF vouched for them, then and now", () => {
  const none = { dkimDomains: [], ehloValidated: false, mailFromValidated: false };
  const nobody = { ...stranger, dkimDomains: [] };
  const mailFrom = { ...nobody, mailFromLocalpart: "alice", mailFromDomain: "sender.example" };
  const ehlo = { ...nobody, ehloDomain: "mx.sender.example" };
  const from = (over: Partial<DeliveryFacts>) => ({
    ...none,
    msgFromLocalpart: "z",
    msgFromDomain: "z.example",
    msgFromOrgDomain: "z.example",
    networks: ["", "", ""] as [string, string, string],
    ...over,
  });
  const cases: [what: string, past: Partial<Past>, over: Partial<DeliveryFacts>, want: string][] = [
    ["MAIL FROM", mailFrom, { mailFromValidated: true }, "dkimspf good"],
    ["MAIL FROM, now forged", mailFrom, {}, "none"],
    ["MAIL FROM, then forged", { ...mailFrom, mailFromValidated: false }, {
      mailFromValidated: true,
    }, "none"],
    [
      "another of its domain",
      { ...mailFrom, mailFromLocalpart: "bob" },
      { mailFromValidated: true },
      "dkimspf good",
    ],
    ["EHLO", ehlo, { ehloValidated: true }, "dkimspf good"],
    ["EHLO, now forged", ehlo, {}, "none"],
    ["EHLO, then forged", { ...ehlo, ehloValidated: false }, { ehloValidated: true }, "none"],
    [
      "EHLO where MAIL FROM is unknown",
      ehlo,
      { ehloValidated: true, mailFromValidated: true },
      "dkimspf good",
    ],
  ];
  for (const [what, past, over, want] of cases) {
    assert.equal(of([ham(past)], [], from(over)), want, what);
  }
  // MAIL FROM is nearer than EHLO, the whole address nearer than its domain.
  const near = [ham({ ...mailFrom, times: 2 }), junk({ ...ehlo, times: 20 })];
  assert.equal(
    of(near, [], from({ mailFromValidated: true, ehloValidated: true })),
    "dkimspf good",
  );
  const domain = [
    ham({ ...mailFrom, times: 2 }),
    junk({ ...mailFrom, mailFromLocalpart: "bob", times: 20 }),
  ];
  assert.equal(of(domain, [], from({ mailFromValidated: true })), "dkimspf good");
  // Good and bad together decide nothing.
  const mixed = [
    ham({ ...mailFrom, times: 2 }),
    junk({ ...nobody, dkimDomains: ["d.example"], times: 2 }),
  ];
  assert.equal(
    of(mixed, [], from({ mailFromValidated: true, dkimDomains: ["d.example"] })),
    "dkimspf mixed?",
  );
});

Deno.test("the account's database answers as the memory does, at the edges too", async () => {
  const dir = await Deno.makeTempDir();
  const db = await Db.open(`${dir}/index.db`, accountMigrations);
  try {
    const history = accountHistory(db);
    fillHistory(db, [
      ham({ age: 100, size: 7 }),
      junk({ age: 50, times: 2 }),
      ham({ age: 10, expunged: true }),
    ], [
      sent("Ann@x.example", "x.example", 100),
    ]);
    const q = { mailboxId: inbox, limit: 10, msgFromDomain: "sender.example" };
    const count = (since: number, over = {}) => history.messages({ ...q, since, ...over }).length;
    assert.equal(count(now - 100), 3);
    assert.equal(count(now - 99), 2);
    assert.equal(count(now - 49), 0);
    assert.equal(count(now - 100, { limit: 1 }), 1);
    assert.deepEqual(history.messages({ ...q, since: 0 }).map((m) => m.junk), [true, true, false]);
    const to = (localpart: string, since: number) =>
      history.sentTo({ localpart, domain: "x.example" }, now - since);
    assert.deepEqual([to("Ann", 100), to("Ann", 99), to("ann", 100)], [true, false, false]);
    assert.equal(history.sentTo({ domain: "x.example" }, now - 100), true);
    assert.equal(history.sentTo({ domain: "y.example" }, now - 100), false);
    assert.equal(history.sentTo({ orgDomain: "x.example" }, now - 99), false);
    const net = { index: 0 as const, networks: facts().networks };
    assert.deepEqual(history.received(net, now - 100), { count: 3, size: 2007 });
    assert.deepEqual(history.received(net, now - 99), { count: 2, size: 2000 });
    assert.deepEqual(history.received(net, now), { count: 0, size: 0 });
  } finally {
    await db.close();
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("what is asked of the history is found by indexes, however long it is", async () => {
  const dir = await Deno.makeTempDir();
  const db = await Db.open(`${dir}/index.db`, accountMigrations);
  try {
    const plans = new Map<string, string>();
    const explain = (sql: string, params: SqlValue[]) => {
      const rows = db.all(`EXPLAIN QUERY PLAN ${sql}`, ...params);
      plans.set(sql, rows.map((r) => r[3]).join("; "));
    };
    const history = accountHistory({
      all(sql, ...params) {
        explain(sql, params);
        return [];
      },
      get(sql, ...params) {
        explain(sql, params);
        return sql.includes("count(*)") ? [0, 0] : undefined;
      },
    });
    for (const verified of [true, false]) {
      reputation(history, facts({ msgFromValidated: verified }), inbox, now);
    }
    exceededRate(history, facts().networks, 1, now);
    assert.ok(plans.size > 10, `${plans.size} queries`);
    for (const [sql, plan] of plans) {
      assert.doesNotMatch(plan, /\bSCAN (?!CONSTANT)/, `${sql}: ${plan}`);
    }
  } finally {
    await db.close();
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("rates: as many messages and bytes as the limit says, in its window", () => {
  const nets: [string, string, string] = ["a", "b", "c"];
  for (const l of defaultRateLimits) {
    const only = [l];
    const asked: number[] = [];
    const history = (count: number, size: number) => ({
      ...memoryHistory([], []),
      received: (n: { index: number }, since: number) => {
        assert.equal(n.index, l.network);
        asked.push(since);
        return { count, size };
      },
    });
    const exceeded = (count: number, size: number, add: number) =>
      exceededRate(history(count, size), nets, add, now, only);
    assert.equal(exceeded(l.messages - 1, 0, 1), undefined);
    assert.match(
      exceeded(l.messages, 0, 1)!,
      new RegExp(`more than ${l.messages} messages in the past`),
    );
    assert.equal(exceeded(0, l.bytes - 10, 10), undefined);
    assert.match(
      exceeded(0, l.bytes - 10, 11)!,
      new RegExp(`more than ${l.bytes} bytes in the past`),
    );
    assert.deepEqual(new Set(asked), new Set([now - l.windowMs]));
    const without = nets.with(l.network, "") as typeof nets;
    assert.equal(exceededRate(history(1e9, 1e15), without, 1, now, only), undefined);
  }
  assert.deepEqual(
    defaultRateLimits.map((
      l,
    ) => [l.network, l.windowMs / 60_000, l.messages, l.bytes / 1024 / 1024]),
    [
      [0, 1, 500, 1000],
      [0, 1440, 10_000, 3000],
      [1, 1, 1500, 3000],
      [1, 1440, 30_000, 9000],
      [2, 1, 4500, 9000],
      [2, 1440, 90_000, 27_000],
    ],
  );
});
