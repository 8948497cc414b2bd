/** What a session remembers and what it forgets, on both sides: logins, refusals, the end of a connection. */
import assert from "node:assert/strict";
import { Log } from "../../src/log/mod.ts";
import { registry } from "../../src/metrics/mod.ts";
import { connectTcp } from "../../src/net/mod.ts";
import { type Envelope, SmtpClient, SmtpClientError } from "../../src/smtp/client/mod.ts";
import { fakeHost, type FakeOptions } from "./fake_host.ts";
import { account, bytes, recordingBackend, startServer } from "./talk.ts";

const plain = bytes(`\0${account.name}\0${account.password}`).toBase64();

Deno.test("STARTTLS comes before a login; after it the client has to say its name again", async () => {
  await using t = await startServer({ submission: true, allowPlainAuth: true });
  await using c = await t.dial();
  await c.hello();
  await c.command(`AUTH PLAIN ${plain}`, "235 2.7.0");
  await c.command(`AUTH PLAIN ${plain}`, "503 5.5.1");
  await c.command("STARTTLS", "503 5.5.1");
  await using d = await t.dial();
  await d.hello();
  await d.command("STARTTLS", 220);
  await d.startTls();
  await d.command(`AUTH PLAIN ${plain}`, "503 5.5.1");
  await d.command("EHLO again", 250);
  await d.command(`AUTH PLAIN ${plain}`, "235 2.7.0");
  await d.command("MAIL FROM:<mjl@mox.example>", 250);
});

Deno.test("a refused recipient is forgotten with its transaction", async () => {
  await using t = await startServer();
  await using c = await t.dial();
  await c.hello();
  await c.transcript(`
    C: MAIL FROM:<a@b.example>
    S: 250
    C: RCPT TO:<unknown@mox.example>
    S: 550 5.1.1
    C: DATA
    S: 554 5.5.1
    C: RSET
    S: 250
    C: DATA
    S: 503 5.5.1
  `);
});

Deno.test("AUTH where nobody can log in, and BDAT with a size that nobody can read", async () => {
  const backend = { ...recordingBackend(), sasl: undefined };
  await using t = await startServer({ submission: true, allowPlainAuth: true, backend });
  await using c = await t.dial();
  await c.hello();
  await c.command(`AUTH PLAIN ${plain}`, "502 5.5.1");

  await using open = await startServer();
  await using o = await open.dial();
  await o.hello();
  const begin = async () => {
    await o.command("MAIL FROM:<a@b.example>", 250);
    await o.command("RCPT TO:<x@mox.example>", 250);
  };
  await begin();
  // Twenty digits are read.
  await o.send("BDAT 00000000000000000004 LAST\r\nab\r\n");
  await o.expect(250);
  await begin();
  await o.command("BDAT 000000000000000000004 LAST", "501 5.5.4");
  await o.end();
});

Deno.test("messages are counted by what became of each recipient", async () => {
  const value = async (result: string) => {
    const metric = registry.getSingleMetric("mox_smtpserver_message_total")!;
    return (await metric.get()).values.filter((v) => v.labels.result === result)
      .reduce((sum, v) => sum + v.value, 0);
  };
  const all = () => Promise.all(["accepted", "tempfail", "refused", "error"].map(value));
  await using t = await startServer();
  await using c = await t.dial();
  await c.hello();
  const before = await all();
  await c.command("MAIL FROM:<a@b.example>", 250);
  for (const to of ["x", "y", "refused", "deferred", "z"]) {
    await c.command(`RCPT TO:<${to}@mox.example>`, 250);
  }
  await c.command("DATA", 354);
  await c.command("Subject: x\r\n\r\nx\r\n.", 250);
  assert.deepEqual((await all()).map((n, i) => n - before[i]), [3, 1, 1, 0]);
});

const log = new Log("smtpclient");

async function withClient(
  o: FakeOptions,
  fn: (c: SmtpClient) => Promise<void>,
  more: Partial<Parameters<typeof SmtpClient.start>[1]> = {},
): Promise<string[]> {
  await using host = await fakeHost(o);
  const conn = await connectTcp({ host: "127.0.0.1", port: host.port });
  const client = await SmtpClient.start(conn, {
    log,
    hostname: "c.example",
    tls: "never",
    ...more,
  });
  try {
    await fn(client);
  } finally {
    await client.quit();
  }
  return host.commands;
}

function envelope(n: number): Envelope {
  return {
    mailFrom: "me@c.example",
    recipients: Array.from({ length: n }, (_, i) => ({ address: `r${i}@x.example` })),
    size: 4,
    body: "7bit",
    smtpUtf8: false,
  };
}
const send = (c: SmtpClient, n = 1) => c.send(envelope(n), () => [bytes("ab\r\n")]);

Deno.test("client: more recipients than are pipelined at once, with one refused in each part", async () => {
  const refused = new Set(["r0@", "r99@", "r100@", "r249@"].map((a) => `RCPT TO:<${a}x.example>`));
  await withClient({
    extensions: ["PIPELINING"],
    rcpt: (line) => refused.has(line) ? "550 5.1.1 unknown" : undefined,
  }, async (c) => {
    const outcomes = await send(c, 250);
    assert.deepEqual(
      outcomes.flatMap((o, i) => o instanceof SmtpClientError ? [i] : []),
      [0, 99, 100, 249],
    );
    assert.equal((await send(c)).length, 1);
  });
  // A sender that is refused is refused for all, and the other parts are not sent.
  const commands = await withClient({
    extensions: ["PIPELINING"],
    mail: (_line, n) => n === 1 ? "550 5.7.1 not you" : undefined,
  }, async (c) => {
    const outcomes = await send(c, 250);
    assert.ok(outcomes.every((o) => o instanceof SmtpClientError && o.phase === "mail"));
  });
  assert.ok(commands.filter((l) => l.startsWith("RCPT")).length <= 100);
});

Deno.test("client: after 421 the session is of no more use", async () => {
  await withClient({ rcpt: () => "421 4.3.2 going" }, async (c) => {
    assert.equal(c.usable, true);
    await send(c);
    assert.equal(c.usable, false);
  });
});

Deno.test("client: giving up ends at once, but for a server that has the whole message", async () => {
  const given = async (o: FakeOptions, grace: number) => {
    let code = 0, told = "";
    await withClient({ ...o, quit: () => "drop" }, async (c) => {
      c.onProgress = (step) => {
        if (step === "committed") c.giveUp(grace);
      };
      if (o.mail) setTimeout(() => c.giveUp(60_000), 5);
      const [outcome] = await send(c);
      code = outcome.code;
      told = outcome instanceof SmtpClientError ? outcome.phase : "taken";
    });
    return `${code} ${told}`;
  };
  assert.equal(await given({ mail: () => "hang" }, 0), "451 mail");
  assert.equal(await given({ message: () => "hang" }, 20), "451 message");
  assert.equal(
    await given(
      { message: () => new Promise((r) => setTimeout(() => r("250 2.0.0 ok"), 50)) },
      60_000,
    ),
    "250 taken",
  );
});

Deno.test("client: a challenge that is none is answered by a star, and is a failed login", async () => {
  const said: string[] = [];
  const auth = { username: "u", password: "p", mechanisms: ["CRAM-MD5"] as const };
  await assert.rejects(
    withClient(
      {
        extensions: ["AUTH CRAM-MD5"],
        auth: async (conn) => {
          conn.write("334 !!!\r\n");
          await conn.flush();
          said.push(new TextDecoder().decode(await conn.readLine(100)));
          return "501 5.7.0 cancelled";
        },
      },
      () => Promise.resolve(),
      { auth },
    ),
    (e: SmtpClientError) =>
      e.code === 535 && e.enhanced === "5.7.8" && e.text === "challenge is not base64",
  );
  assert.deepEqual(said, ["*"]);
});
