/** Our queue and our receiving side with Postfix as the peer, over TLS both ways. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Authorities, selfSignedCertificate } from "../../src/net/mod.ts";
import { isRoot } from "../../src/platform/users.ts";
import { enforcedFor, World } from "../queue/world.ts";
import { freePorts } from "../serve/instance.ts";
import { startServer, text } from "../smtp/talk.ts";
import { startPostfix } from "../support/postfix.ts";
import { until } from "../support/listening.ts";
import { lacks } from "../support/programs.ts";

const skipped = lacks("postfix") || !isRoot();

Deno.test({
  name: "Postfix: messages go to it by verified TLS, and come back from it by TLS as they were",
  ignore: skipped,
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "postfix-" });
    await Deno.chmod(dir, 0o755);
    try {
      const certificate = await selfSignedCertificate({ names: ["mx.postfix.example"] });
      await Deno.writeTextFile(join(dir, "cert.pem"), certificate.cert);
      await Deno.writeTextFile(join(dir, "key.pem"), certificate.key, { mode: 0o600 });
      const [port] = await freePorts(1);
      await using back = await startServer();
      await using postfix = await startPostfix(`${dir}/instance`, {
        address: "127.0.0.1",
        port,
        main: `
myhostname = mx.postfix.example
mydestination =
smtpd_tls_security_level = may
smtpd_tls_cert_file = ${dir}/cert.pem
smtpd_tls_key_file = ${dir}/key.pem
smtpd_tls_received_header = yes
smtp_tls_security_level = encrypt
smtp_tls_note_starttls_offer = yes
relay_domains = postfix.example
relay_transport = smtp:[127.0.0.1]:${back.port}
relay_recipient_maps = inline:{ a@postfix.example=x, b@postfix.example=x, jörg@postfix.example=x, big@postfix.example=x }
smtpd_recipient_limit = 1000
message_size_limit = 20000000
`,
      });
      await using world = await World.make({
        zone: {
          "postfix.example": { MX: ["10 mx.postfix.example"] },
          "mx.postfix.example": { A: ["127.0.0.1"] },
        },
        deliverer: {
          authorities: Authorities.of(certificate.cert),
          tlsPolicy: enforcedFor(() => true),
          port,
        },
      });
      await world.open();
      await world.queue.start();
      const big = ".line\r\n".repeat(1_000_000);
      const notify = ["success"] as const;
      await world.send(["a@postfix.example", "unknown@postfix.example", "b@postfix.example"], {
        body: "gr\u00fc\u00dfe\r\n.\r\n..\r\n",
      });
      await world.send(["j\u00f6rg@postfix.example"], { smtputf8: true });
      await world.send(["big@postfix.example"], { body: big });
      const file = join(world.dir, "binary");
      const binary = "Subject: b\r\n\r\n" + "x".repeat(5000) + "\r\n.\r\n";
      await Deno.writeTextFile(file, binary);
      await world.send([], {
        recipients: [{ address: "a@postfix.example", notify }],
        file,
        fileSize: binary.length,
      });
      await world.queue.idle();
      const left = world.queue.list().map((i) => [i.address, i.results]);
      assert.deepEqual(left, [], JSON.stringify(left));
      assert.deepEqual(world.bounced("unknown@postfix.example"), ["550 5.1.1"]);
      // Postfix has DSN: it tells of the success, not we.
      assert.deepEqual(world.dsns.map((d) => d.action), ["failed"]);

      // One of the four is for two recipients.
      await until(() => back.seen.deliveries.length >= 4, () => postfix.log());
      const got = new Map(
        back.seen.deliveries.map((d) => [`${d.to.join()} ${d.content.length > 5000}`, d]),
      );
      const first = got.get("a@postfix.example,b@postfix.example false")!;
      assert.ok(first, [...got.keys()].join("; "));
      assert.ok(text(first.content).endsWith("\r\n\r\ngr\u00fc\u00dfe\r\n.\r\n..\r\n"));
      // Both hops were encrypted.
      assert.match(text(first.content), /\(using TLSv1\.3 with cipher/);
      assert.match(first.received, /TLS/);
      assert.ok(got.has("j\u00f6rg@postfix.example false"));
      assert.ok(text(got.get("big@postfix.example true")!.content).endsWith(`\r\n\r\n${big}`));
      assert.ok(got.has("a@postfix.example true"));
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
