/** What a domain's mail was in a month: counted, kept over restarts, reported once to who administers it. */
import assert from "node:assert/strict";
import { createTransport } from "nodemailer";
import { setLevel, setLogSink } from "../../src/log/mod.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { monthBefore, MonthCounts, monthOf } from "../../src/serve/months/counts.ts";
import { MonthReports } from "../../src/serve/months/report.ts";
import { fakeHost } from "../smtp/fake_host.ts";
import { freePorts } from "./instance.ts";
import { mail, startReceiver } from "./receiver.ts";

for (const pkg of ["months", "submission", "auth", "audit"]) setLevel(pkg, "error");
const password = "correct horse";
const account = (name: string, domain: string) =>
  `	${name}:
		Domain: ${domain}
		Destinations:
			${name}@${domain}: nil
`;
const domains = `Domains:
	ours.example:
		MonthlyReport: true
		Administrators:
			- bob
	other.example:
		MonthlyReport: true
	quiet.example: nil
Accounts:
${account("ann", "ours.example")}${account("bob", "ours.example")}${
  account("dan", "other.example")
}${account("eve", "quiet.example")}`;

Deno.test("months follow each other, and old ones go", async () => {
  assert.equal(monthBefore("2026-01"), "2025-12");
  assert.equal(monthBefore("2026-11"), "2026-10");
  assert.equal(monthOf(Date.UTC(2026, 1, 28, 23, 59)), "2026-02");
  const dir = await Deno.makeTempDir();
  try {
    let now = Date.UTC(2025, 0, 15);
    const path = `${dir}/months.json`;
    const counts = await MonthCounts.open(path, () => now);
    for (let i = 0; i < 15; i++) {
      counts.received("a.example", i % 2 === 0);
      counts.sent("a.example", 3);
      now += 31 * 24 * 3600_000;
    }
    await counts.setReported("2026-02", "a.example");
    await counts.close();
    const again = await MonthCounts.open(path, () => now);
    assert.deepEqual(again.of("2025-01", "a.example"), {
      received: 0,
      refused: 0,
      sent: 0,
      recipients: 0,
    });
    assert.deepEqual(again.of("2026-02", "a.example"), {
      received: 1,
      refused: 0,
      sent: 1,
      recipients: 3,
    });
    assert.equal(again.wasReported("2026-02", "a.example"), true);
    assert.equal(again.wasReported("2026-03", "a.example"), false);
    await again.close();
    // A file that is none begins anew, and is replaced.
    await Deno.writeTextFile(path, '{"months": 3');
    const sink = setLogSink(() => {});
    const fresh = await MonthCounts.open(path, () => now);
    setLogSink(sink);
    fresh.received("b.example", false);
    await fresh.close();
    assert.match(await Deno.readTextFile(path), /"b\.example"/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("administrators get their domain's report once, the postmaster that of a domain without any", async () => {
  await using host = await fakeHost({ extensions: ["8BITMIME"] });
  const [port] = await freePorts(1);
  await using r = await startReceiver({
    domains,
    outgoingPort: host.port,
    zone: { "away.example": { A: ["127.0.0.1"] } },
    smtp: `		Submission:
			Enabled: true
			Port: ${port}
			NoRequireSTARTTLS: true
`,
  });
  const { config, accounts } = r.server;
  await setAccountPassword(accounts, "ann", password);
  const to = ["ann@ours.example", "bob@ours.example", "eve@quiet.example"];
  assert.equal((await r.send({ to, text: mail() })).code, 250);
  const transport = createTransport({
    host: "127.0.0.1",
    port,
    ignoreTLS: true,
    auth: { user: "ann@ours.example", pass: password },
  });
  const from = "ann@ours.example";
  await transport.sendMail({ from, to: ["a@away.example", "b@away.example"], text: "x\n" });
  transport.close();
  await r.server.queue.idle();
  const counts = r.server.months;
  const month = monthOf(Date.now());
  const got = counts.of(month, "ours.example");
  assert.deepEqual(got, { received: 2, refused: 0, sent: 1, recipients: 2 });
  const at = Date.now() + 32 * 24 * 3600_000;
  const reported = monthBefore(monthOf(at));
  const o = { config, accounts, counts, tempDir: r.dir, now: () => at };
  await new MonthReports(o).look();
  await new MonthReports(o).look();
  const bobs = (await r.messages("bob", "Inbox")).filter((m) => m.includes("month."));
  assert.equal(bobs.length, 1);
  assert.match(bobs[0], new RegExp(`^Subject: ours\\.example in ${reported}\r$`, "m"));
  if (reported === month) assert.match(bobs[0], /^messages received, by recipient +2 +0\r$/m);
  assert.match(bobs[0], /^2 accounts take [\d.]+ (bytes|kB):\r$/m);
  assert.match(bobs[0], /^\s+ann: /m);
  const anns = (await r.messages("ann", "Inbox")).filter((m) => m.includes("month."));
  assert.equal(anns.length, 1);
  assert.match(anns[0], /^Subject: other\.example in /m);
  // After a crash before it was noted as sent, nobody has it twice.
  const forgetful = await MonthCounts.open(`${r.dir}/none.json`);
  await new MonthReports({ ...o, counts: forgetful }).look();
  await forgetful.close();
  const again = (await r.messages("bob", "Inbox")).filter((m) => m.includes("month."));
  assert.equal(again.length, 1);
});
