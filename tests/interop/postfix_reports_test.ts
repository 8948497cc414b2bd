/** Reports of Postfix about our messages: delivered, or bounced after it has taken them; and ours for it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseDsn } from "../../src/mail/dsn/parse.ts";
import { isRoot } from "../../src/platform/users.ts";
import { fakeHost } from "../smtp/fake_host.ts";
import { domainsConf, startReceiver } from "../serve/receiver.ts";
import { freePorts } from "../serve/instance.ts";
import { startPostfix } from "../support/postfix.ts";
import { lacks } from "../support/programs.ts";

const domains = domainsConf.replace("\tcas:\n", "\tcas:\n\t\tKeepRetiredMessagePeriod: 24h\n");

Deno.test({
  name: "Postfix: its reports arrive, are understood, and its bounce suppresses the recipient",
  ignore: lacks("postfix") || !isRoot(),
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "postfix-" });
    await Deno.chmod(dir, 0o755);
    const [port] = await freePorts(1);
    // Behind Postfix: knows no DSN, so Postfix is the one to tell.
    await using behind = await fakeHost({
      extensions: ["PIPELINING", "8BITMIME", "SMTPUTF8"],
      rcpt: (l) => l.includes("gone@") ? "550 5.1.1 no such user" : undefined,
    });
    try {
      await using r = await startReceiver({
        domains,
        outgoingPort: port,
        zone: {
          "there.example": { A: ["127.0.0.1"] },
          "mx.postfix.example": { A: ["127.0.0.1"], TXT: ["v=spf1 a -all"] },
        },
      });
      await using postfix = await startPostfix(`${dir}/instance`, {
        address: "127.0.0.1",
        port,
        main: `
myhostname = mx.postfix.example
mydestination =
smtp_tls_security_level = may
relay_domains = there.example
transport_maps = inline:{ there.example=smtp:[127.0.0.1]:${behind.port}, ours.example=smtp:[127.0.0.1]:${r.port} }
smtp_dns_support_level = disabled
`,
      });
      const { queue } = r.server;
      const text =
        "From: <cas@ours.example>\r\nMessage-ID: <1@ours.example>\r\nSubject: gr\u00fc\u00dfe\r\n\r\nx\r\n";
      const file = join(dir, "m");
      await Deno.writeTextFile(file, text);
      const fileSize = new TextEncoder().encode(text).length;
      await queue.add({
        senderAccount: "cas",
        mailFrom: "cas@ours.example",
        recipients: ["gone", "here", "j\u00f6rg"].map((l) => ({
          address: `${l}@there.example`,
          notify: ["success", "failure"] as const,
          originalRecipient: { type: "rfc822", address: "list+1@ours.example" },
        })),
        file,
        fileSize,
        prefix: new Uint8Array(0),
        smtputf8: true,
        has8bit: true,
        requireTls: false,
        messageId: "<1@ours.example>",
        envelopeId: "id+1",
        ret: "hdrs",
      });
      await queue.idle();
      assert.equal(queue.count(), 0, JSON.stringify(queue.list()));
      const inbox = () => r.messages("cas", "Inbox");
      let reports = await inbox();
      for (let i = 0; reports.length < 2 && i < 200; i++) {
        await new Promise((f) => setTimeout(f, 100));
        reports = await inbox();
      }
      const told = reports.map((m) => parseDsn(new TextEncoder().encode(m))!);
      const ends = told.flatMap((d) =>
        d.recipients.map((x) => `${x.finalRecipient.value} ${x.action} ${x.status}`)
      );
      assert.deepEqual(ends.sort(), [
        "gone@there.example failed 5.1.1",
        "here@there.example relayed 2.0.0",
        "j\u00f6rg@there.example relayed 2.0.0",
      ], await postfix.log());
      for (const d of told) {
        assert.equal(d.originalEnvelopeId, "id+1");
        assert.equal(d.recipients[0].originalRecipient?.value, "list+1@ours.example");
      }
      assert.deepEqual(
        queue.suppressions().map((s) => `${s.account} ${s.address} ${s.reason.slice(0, 26)}`),
        ["cas gone@there.example bounced after it was taken"],
      );
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
