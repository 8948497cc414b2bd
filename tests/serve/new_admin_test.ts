/**
 * A server from nothing, as a new administrator sets it up: quickstart in an empty folder, the printed
 * records put into a zone (here of a name server of the test's), the DNS check, the server, more accounts
 * and domains while it runs, a mail in and read.
 */
import assert from "node:assert/strict";
import type { Answer } from "dns-packet";
import { ImapFlow } from "imapflow";
import nodemailer from "nodemailer";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { quickstartOffset } from "../support/ports.ts";
import { moxIn, startServe } from "./instance.ts";
import { readZone, zoneServer } from "./zone.ts";

/** Added to its ports, which quickstart sets to the standard ones. */
const offset = quickstartOffset();

Deno.test({
  name: "from an empty folder to a mail that is read",
  ignore: !isLinux,
  async fn(t) {
    const dir = await Deno.makeTempDir({ prefix: "mox-admin-" });
    await Deno.chmod(dir, 0o755);
    const zone: Answer[] = [
      { name: "com", type: "NS", data: "a.gtld.example" },
      { name: "1.0.0.127.in-addr.arpa", type: "PTR", data: "mail.mox.example" },
      // Of the world: someone who writes.
      { name: "sender.example", type: "A", data: "127.0.0.1" },
      { name: "sender.example", type: "MX", data: { preference: 1, exchange: "sender.example" } },
      { name: "sender.example", type: "TXT", data: ["v=spf1 ip4:127.0.0.1 -all"] },
    ];
    using dns = await zoneServer(zone);
    const env = { MOX_DNS_SERVERS: `127.0.0.1:${dns.server.port}` };
    const mox = (args: string[], stdin?: string) => moxIn(dir, args, { env, stdin });
    let accountPassword = "";
    try {
      await t.step("quickstart writes the configuration, and prints what to do", async () => {
        const user = isRoot() ? ["54321"] : [String(Deno.uid())];
        const args = ["quickstart", "-existing-webserver", "-hostname", "mail.mox.example", "-ip"]
          .concat("127.0.0.1", "-ports", String(offset), "ann@mox.example", ...user);
        const r = await mox(args);
        assert.equal(r.code, 0, r.stderr);
        assert.match(r.stdout, /MX: ERROR\n {2}error: The domain has no MX record/);
        accountPassword = /account ann \(ann@mox\.example\): (\S+)/.exec(r.stdout)![1];
        assert.match(r.stdout, /administrator: {2}\S{16}/);
        zone.push(...readZone(r.stdout));
        const again = await mox(args);
        assert.equal(again.code, 1);
        assert.match(again.stderr, /mox\.conf is there already: nothing is overwritten/);
        const unit = await Deno.readTextFile(`${dir}/mox.service`);
        assert.match(unit, /^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m);
      });

      await t.step(
        "the configuration is in order, and the DNS after the zone has its records",
        async () => {
          assert.equal((await mox(["config", "test"])).code, 0);
          const check = await mox(["config", "dnscheck", "mox.example"]);
          assert.equal(check.code, 0, check.stdout + check.stderr);
          assert.doesNotMatch(check.stdout, /error|warning/);
          assert.match(check.stdout, /^DKIM: ok$/m);
          const printed = await mox(["config", "dnsrecords", "mox.example"]);
          assert.match(printed.stdout, /^_dmarc\.mox\.example\.\s+TXT\s+"v=DMARC1;/m);
        },
      );

      // As an administrator may: the test is not to wait for those who write for the first time.
      const conf = `${dir}/config/mox.conf`;
      const text = await Deno.readTextFile(conf);
      const smtp = text.lastIndexOf("\t\tSMTP:\n") + "\t\tSMTP:\n".length;
      await Deno.writeTextFile(
        conf,
        `${text.slice(0, smtp)}\t\t\tFirstTimeSenderDelay: 0s\n${text.slice(smtp)}`,
      );

      const server = startServe(dir, env);
      try {
        await server.logged(/mox is running/);
        await t.step("it runs as its user, with nothing of root", async () => {
          const status = await Deno.readTextFile(`/proc/${server.pid}/status`);
          if (isRoot()) {
            assert.match(status, /^Uid:\t54321\t54321\t54321\t54321$/m);
            assert.match(status, /^Groups:\t54321 ?$/m);
          }
          assert.match(status, /^CapEff:\t0+$/m);
        });

        await t.step(
          "accounts, addresses, aliases and domains are added while it runs",
          async () => {
            const ok = async (args: string[], stdin?: string) => {
              const r = await mox(args, stdin);
              assert.equal(r.code, 0, `${args.join(" ")}: ${r.stderr}`);
              return r.stdout;
            };
            await ok(["config", "account", "add", "bob", "bob@mox.example"]);
            await ok(["setaccountpassword", "bob"], "bobs password\n");
            await ok(["config", "domain", "add", "other.example", "ann"]);
            await ok(["config", "address", "add", "bob@other.example", "bob"]);
            await ok([
              "config",
              "alias",
              "add",
              "all@mox.example",
              "ann@mox.example",
              "bob@mox.example",
            ]);
            assert.equal(await ok(["config", "account", "list"]), "ann\nbob\n");
            assert.equal(await ok(["config", "domain", "list"]), "mox.example\nother.example\n");
            assert.match(
              await ok(["config", "alias", "list", "mox.example"]),
              /^all@mox\.example: ann@mox\.example, bob@mox\.example$/m,
            );
            assert.match(
              await ok(["config", "address", "list", "bob"]),
              /^bob@other\.example bob$/m,
            );
            assert.match(
              await ok(["clientconfig", "mox.example"]),
              /IMAP\s+mail\.mox\.example \d+ TLS/,
            );
            const twice = await mox(["config", "account", "add", "bob", "b@mox.example"]);
            assert.equal(twice.code, 1);
            assert.match(twice.stderr, /account bob is there already/);
            await ok(["setadminpassword"], "another password\n");
            for (const name of ["reparse", "fixmsgsize", "recalculatemailboxcounts"]) {
              assert.match(await ok([name, "bob"]), /^bob: /);
            }
            const owner = await Deno.stat(`${dir}/config/domains.conf`);
            assert.equal(owner.uid, isRoot() ? 54321 : Deno.uid());
          },
        );

        await t.step("a mail from elsewhere arrives, and is read", async () => {
          const transport = nodemailer.createTransport({
            host: "127.0.0.1",
            port: 25 + offset,
            name: "sender.example",
            tls: { rejectUnauthorized: false },
          });
          await transport.sendMail({
            from: "someone@sender.example",
            to: "bob@mox.example",
            subject: "Good day",
            text: "How is the new server?",
          });
          const client = new ImapFlow({
            host: "127.0.0.1",
            port: 993 + offset,
            secure: true,
            auth: { user: "bob@mox.example", pass: "bobs password" },
            tls: { rejectUnauthorized: false },
            logger: false,
          });
          client.on("error", () => {});
          await client.connect();
          const lock = await client.getMailboxLock("INBOX");
          const message = await client.fetchOne("1", { envelope: true, source: true });
          assert.ok(message);
          assert.equal(message.envelope!.subject, "Good day");
          assert.match(message.source!.toString(), /How is the new server\?/);
          lock.release();
          await client.logout();
        });

        await t.step("the password that was printed logs in", async () => {
          const client = new ImapFlow({
            host: "127.0.0.1",
            port: 993 + offset,
            secure: true,
            auth: { user: "ann@mox.example", pass: accountPassword },
            tls: { rejectUnauthorized: false },
            logger: false,
          });
          client.on("error", () => {});
          await client.connect();
          await client.logout();
        });
        assert.equal((await mox(["stop"])).code, 0);
        assert.equal(await server.ended, 0);
      } catch (err) {
        await server.end("SIGKILL").catch(() => {});
        throw new Error(`${err instanceof Error ? err.stack : err}\nserver: ${server.log()}`);
      }

      await t.step("without a server the commands work on the files", async () => {
        // The alias keeps its other member; without that one it would have none.
        assert.equal((await mox(["config", "account", "rm", "bob"])).code, 0);
        await assert.rejects(Deno.stat(`${dir}/data/accounts/bob`), Deno.errors.NotFound);
        assert.equal((await mox(["reassignthreads", "ann"])).code, 0);
        assert.equal((await mox(["config", "test"])).code, 0);
      });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
