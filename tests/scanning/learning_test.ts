/** What users mark is shown to rspamd's controller: an own one, that is away, refuses, and hears it at last. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Flag } from "../../src/store/types.ts";
import { mail, startReceiver } from "../serve/receiver.ts";

Deno.test("marked messages are learned once the controller takes them, as what they are then", async () => {
  const heard: string[] = [];
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  const server = createServer((req, res) => {
    let body = "";
    req.on("data", (d) => body += d);
    req.on("end", () => {
      heard.push(`${req.url} ${req.headers.password} ${/Subject: (.*)\r/.exec(body)?.[1]}`);
      res.writeHead(heard.length === 1 ? 500 : heard.length === 2 ? 208 : 200);
      res.end("{}");
      if (heard.length === 3) resolve();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  try {
    await using r = await startReceiver({
      files: { secret: "the password\n" },
      extra: `Scanners:
	rspamd:
		Rspamd:
			URL: http://127.0.0.1:${port}
			ControllerURL: http://127.0.0.1:${port}
			PasswordFile: secret
`,
    });
    const to = "bob@ours.example";
    for (const subject of ["first", "second"]) {
      assert.equal((await r.send({ to, text: mail({ to, subject }) })).code, 250);
    }
    await r.account("bob", async (a) => {
      const inbox = a.mailboxByName("Inbox")!.id;
      const [first, second] = a.uids(inbox);
      await a.storeFlags(inbox, [first], "add", Flag.Junk, []);
      await a.storeFlags(inbox, [second], "add", Flag.NotJunk, []);
    });
    await enough;
    assert.deepEqual([...new Set(heard)].sort(), [
      "/learnham the password second",
      "/learnspam the password first",
    ]);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
});
