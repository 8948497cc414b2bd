/** The log of attempts to log in. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type LoginAttempt, LoginLog } from "../../src/store/logins/attempts.ts";

const day = 86_400_000;

async function withLog(fn: (log: LoginLog, clock: { now: number }) => void): Promise<void> {
  const dir = await Deno.makeTempDir();
  const clock = { now: 20_000 * day };
  const log = await LoginLog.open(dir, () => clock.now);
  try {
    fn(log, clock);
  } finally {
    await log.close();
    await Deno.remove(dir, { recursive: true });
  }
}

const attempt = (over: Partial<LoginAttempt> = {}): LoginAttempt => ({
  account: "ann",
  login: "ann@mox.example",
  service: "imap",
  mechanism: "plain",
  result: "ok",
  remoteIp: "192.0.2.1",
  client: "",
  ...over,
});

Deno.test("attempts that are alike are counted in one row a day, the last first", () =>
  withLog((log, clock) => {
    log.note(attempt());
    clock.now += 1000;
    log.note(attempt());
    log.flush();
    clock.now += 1000;
    log.note(attempt());
    clock.now += 1000;
    log.note(attempt({ result: "badcreds" }));
    log.note(attempt({ account: "", login: "nobody@mox.example", result: "badcreds" }));
    const start = 20_000 * day;
    assert.deepEqual(log.list("ann", 10), [
      { ...attempt({ result: "badcreds" }), first: start + 3000, last: start + 3000, count: 1 },
      { ...attempt(), first: start, last: start + 2000, count: 3 },
    ]);
    assert.equal(log.list(undefined, 10).length, 3);
    assert.equal(log.list(undefined, 1).length, 1);
    clock.now += day;
    log.note(attempt());
    assert.deepEqual(log.list("ann", 10).map((a) => a.count), [1, 1, 3]);
    clock.now += 31 * day;
    log.note(attempt());
    assert.deepEqual(log.list("ann", 10).map((a) => a.count), [1]);
  }));

Deno.test("however many addresses try, the rows of a day are bounded and nothing is left out of the count", () =>
  withLog((log) => {
    for (let i = 0; i < 3000; i++) {
      log.note(attempt({
        account: "",
        login: `guess${i}@mox.example`,
        result: "badcreds",
        remoteIp: `192.0.2.${i % 250}`,
      }));
    }
    const rows = log.list(undefined, 10_000);
    assert.equal(rows.length, 501);
    assert.equal(rows.reduce((n, r) => n + r.count, 0), 3000);
  }));

Deno.test("what can't be written waits, nobody is refused for it, and it is written once it can be", async () => {
  const dir = await Deno.makeTempDir();
  const log = await LoginLog.open(dir, () => 20_000 * day);
  try {
    // Fails as an insert into a file on a full disk does.
    const other = new DatabaseSync(`${dir}/logins.db`);
    other.exec(
      "CREATE TRIGGER full BEFORE INSERT ON attempts BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    );
    for (let i = 0; i < 3000; i++) log.note(attempt({ remoteIp: `192.0.2.${i}` }));
    log.flush();
    assert.deepEqual(log.list(undefined, 10_000), []);
    other.exec("DROP TRIGGER full");
    other.close();
    assert.equal(log.list("ann", 10_000).reduce((n, a) => n + a.count, 0), 2000);
    log.note(attempt());
    assert.equal(log.list("ann", 10_000).reduce((n, a) => n + a.count, 0), 2001);
  } finally {
    await log.close();
    await Deno.remove(dir, { recursive: true });
  }
});
