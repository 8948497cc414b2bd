/** Dovecot behind the server, by LMTP: which addresses it has, and what arrives in its Maildir. */
import assert from "node:assert/strict";
import { noDovecot, startDovecot } from "../support/dovecot.ts";
import { domainsConf, mail, startReceiver } from "../serve/receiver.ts";

Deno.test({
  name: "Dovecot's LMTP behind a relayed domain",
  ignore: noDovecot,
  async fn() {
    const dovecot = await startDovecot(undefined, { lmtp: true });
    try {
      await using r = await startReceiver({
        domains: domainsConf.replace(
          "	catchall.example: nil\n",
          "	catchall.example: nil\n	old.example:\n		Relay:\n			Transport: old\n",
        ),
        extra: `Transports:
	old:
		LMTP:
			Host: 127.0.0.1
			Port: ${dovecot.lmtp}
`,
        outgoingPort: 1,
      });
      const send = (to: string | string[], body = "hello") =>
        r.send({ to, text: mail({ to: [to].flat()[0], body }), sign: "sender.example" });
      const unknown = await send("eve@old.example");
      assert.deepEqual([unknown.code, unknown.status], [550, "5.1.1"]);
      assert.equal((await send(["ann@old.example", "ann@ours.example"], ".\n..dots\n")).code, 250);
      await r.server.queue.idle();
      assert.equal(r.server.queue.count(), 0, JSON.stringify(r.server.queue.list()));
      const found: string[] = [];
      for await (const entry of Deno.readDir(`${dovecot.maildir}/new`)) {
        found.push(await Deno.readTextFile(`${dovecot.maildir}/new/${entry.name}`));
      }
      assert.equal(found.length, 1);
      assert.match(
        found[0],
        /^Return-Path: <joe@sender\.example>\r?\nDelivered-To: ann@old\.example/,
      );
      assert.match(found[0], /\nReceived: from mail\.example .*LMTP/s);
      assert.match(found[0], /\nX-Mox-Reason: no-bad-signals\r?\nAuthentication-Results: /);
      assert.match(found[0], /\r?\n\r?\n\.\r?\n\.\.dots\r?\n/);
      assert.equal((await r.messages("ann", "Inbox")).length, 1);
    } finally {
      await dovecot.stop();
    }
  },
});
