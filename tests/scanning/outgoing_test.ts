/** Mail of users shown to scanners, by a server with the flags that are shipped: submission, web API, local programs. */
import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { isLinux } from "../../src/platform/os.ts";
import { identityPorts, withIdentitySite } from "../identity/site.ts";
import { milterPython, startPymilter } from "./programs.ts";

const required = Deno.env.get("MOX_TEST_REQUIRE_PROGRAMS") !== undefined;

const domains = `Domains:
	mox.example: nil
Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
`;

Deno.test({
  name:
    "outgoing mail and scanners: changed, refused, on hold, discarded; from each way of sending",
  ignore: !isLinux || (!required && milterPython === undefined),
  async fn(t) {
    await using program = await startPymilter("tcp");
    const ports = await identityPorts();
    await withIdentitySite({
      ports,
      domains,
      files: { adminpasswd: "$2b$04$" },
      extra: () =>
        `Scanners:\n	asked:\n		Milter:\n			Address: ${program.address}\nOutgoingScanners:\n	- asked\n`,
    }, async (site) => {
      const set = await site.mox(["setaccountpassword", "ann"], "ann's own password\n");
      assert.equal(set.code, 0, set.stderr);
      const smtp = nodemailer.createTransport({
        host: "127.0.0.1",
        port: ports.submission,
        ignoreTLS: true,
        auth: { user: "ann@mox.example", pass: "ann's own password" },
      });
      const to = "someone@elsewhere.invalid";
      const send = (subject: string, headers: { key: string; value: string }[] = []) =>
        smtp.sendMail({ from: "ann@mox.example", to, subject, text: "Hello", headers })
          .then((r) => r.response, (err: { response?: string }) => err.response ?? String(err));
      const queued = async () => {
        const list = await site.mox(["queue", "list"]);
        assert.equal(list.code, 0, list.stderr);
        return list.stdout;
      };
      const dump = async (response: string) => {
        const id = /queued as (\d+)/.exec(response)?.[1];
        assert.ok(id, response);
        const d = await site.mox(["queue", "dump", id]);
        assert.equal(d.code, 0, d.stderr);
        return d.stdout;
      };

      // So that nothing is sent, and stays to be looked at.
      const rule = await site.mox(["queue", "holdrules", "add", "-account", "ann"]);
      assert.equal(rule.code, 0, rule.stderr);

      await t.step(
        "who sends is told, and the field is under the signature's Received",
        async () => {
          const text = await dump(await send("seen"));
          const steps = text.replace(/\r?\n[ \t]+/g, " ");
          assert.match(
            steps,
            /X-Steps: connect \[127\.0\.0\.1\] 127\.0\.0\.1;.*login=ann@mox\.example; id=True/,
          );
          // Its own Received isn't shown.
          assert.match(steps, /fields=From,To,Subject,Message-ID,Content-Transfer-Encoding,Date/);
          assert.match(text, /^Received: /);
        },
      );

      await t.step("verdicts are the answer", async () => {
        assert.match(await send("reject"), /^550 5\.7\.1/);
        assert.match(await send("tempfail"), /^451 4\.7\.1/);
        assert.match(await send("reply"), /^554 5\.7\.9 first line second line/);
        const before = await queued();
        assert.match(await send("discard"), /^250 .*message taken/);
        assert.equal(await queued(), before);
      });

      await t.step("recipients and sender", async () => {
        const text = await queued();
        await send("envelope");
        const more = (await queued()).slice(text.length);
        const all = await queued();
        assert.match(all, /bob@ours\.example/, more);
        assert.match(all, /other@sender\.example/);
      });

      await t.step("set aside is on hold until an administrator lets it go", async () => {
        const rules = await site.mox(["queue", "holdrules", "list"]);
        const [number] = /^\s*\d+/m.exec(rules.stdout) ?? [""];
        const gone = await site.mox(["queue", "holdrules", "remove", number.trim()]);
        assert.equal(gone.code, 0, rules.stdout + gone.stderr);
        const response = await send("quarantine");
        const id = /queued as (\d+)/.exec(response)![1];
        const held = await site.mox(["queue", "list", "-hold", "true"]);
        assert.match(held.stdout, new RegExp(`^\\s*${id}\\b`, "m"), held.stdout + held.stderr);
      });

      await t.step("the webmail's and programs' mail too", async () => {
        const sent = await site.mox(
          ["sendmail", "-t"],
          `From: ann@mox.example\nTo: ${to}\nSubject: reject\n\nHello\n`,
        );
        assert.notEqual(sent.code, 0);
        assert.match(sent.stderr, /refused/);
        const api = await fetch(`${site.origin}/webapi/v0/Send`, {
          method: "POST",
          headers: { authorization: `Basic ${btoa("ann@mox.example:ann's own password")}` },
          body: new URLSearchParams({
            request: JSON.stringify({ To: [{ Address: to }], Subject: "reject", Text: "x" }),
          }),
        });
        await api.body?.cancel();
        assert.ok(api.status === 400 || api.status === 404, String(api.status));
      });

      await t.step("away: refused for now", async () => {
        await program.end();
        assert.match(await send("hello"), /^451 4\.3\.0 message can't be scanned now/);
      });
    });
  },
});
