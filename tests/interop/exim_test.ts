/** Our queue and our receiving side with Exim as the peer, over TLS both ways. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Authorities, selfSignedCertificate } from "../../src/net/mod.ts";
import { isRoot } from "../../src/platform/users.ts";
import { enforcedFor, World } from "../queue/world.ts";
import { freePorts } from "../serve/instance.ts";
import { startServer, text } from "../smtp/talk.ts";
import { startExim } from "../support/exim.ts";
import { until } from "../support/listening.ts";
import { lacks } from "../support/programs.ts";

Deno.test({
  name: "Exim: messages go to it by verified TLS, and come back from it by TLS as they were",
  ignore: lacks("exim4") || !isRoot(),
  async fn() {
    const dir = await Deno.makeTempDir({ prefix: "exim-" });
    try {
      await Deno.chmod(dir, 0o755);
      const certificate = await selfSignedCertificate({ names: ["mx.exim.example"] });
      const [port] = await freePorts(1);
      await using back = await startServer();
      await using exim = await startExim(join(dir, "instance"), {
        port,
        relayPort: back.port,
        hostname: "mx.exim.example",
        certificate,
        unknown: "unknown",
      });
      await using world = await World.make({
        zone: {
          "exim.example": { MX: ["10 mx.exim.example"] },
          "mx.exim.example": { A: ["127.0.0.1"] },
        },
        deliverer: {
          authorities: Authorities.of(certificate.cert),
          tlsPolicy: enforcedFor(() => true),
          port,
        },
      });
      await world.open();
      await world.queue.start();
      const big = ".line\r\n".repeat(500_000);
      await world.send(["a@exim.example", "unknown@exim.example", "b@exim.example"], {
        body: "gr\u00fc\u00dfe\r\n.\r\n..\r\n",
      });
      await world.send(["j\u00f6rg@exim.example"], { smtputf8: true });
      await world.send(["big@exim.example"], { body: big });
      await world.send([], { recipients: [{ address: "dsn@exim.example", notify: ["success"] }] });
      await world.queue.idle();
      const left = world.queue.list().map((i) => [i.address, i.results]);
      assert.deepEqual(left, [], JSON.stringify(left));
      assert.deepEqual(world.bounced("unknown@exim.example"), ["550 5.0.0"]);
      // Exim has DSN: it tells of the success, not we.
      assert.deepEqual(world.dsns.map((d) => d.action), ["failed"]);

      await until(
        () => new Set(back.seen.deliveries.flatMap((d) => d.to)).size >= 5,
        () => exim.log(),
      );
      const to = (address: string) => {
        const found = back.seen.deliveries.filter((d) => d.to.includes(address));
        assert.equal(found.length, 1, address);
        return found[0];
      };
      for (const address of ["a@exim.example", "b@exim.example"]) {
        assert.ok(text(to(address).content).endsWith("\r\n\r\ngr\u00fc\u00dfe\r\n.\r\n..\r\n"));
      }
      // Both hops were encrypted.
      assert.match(text(to("a@exim.example").content), /with esmtps\s+\(TLS1\.3\)/);
      assert.match(to("a@exim.example").received, /TLS/);
      assert.ok(text(to("big@exim.example").content).endsWith(`\r\n\r\n${big}`));
      to("j\u00f6rg@exim.example");
      to("dsn@exim.example");
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
