/** Browsers are told of new mail by their push services, as long as the session is open. */
import assert from "node:assert/strict";
import { message, refused, withWebmail } from "./server.ts";

const curve = { name: "ECDH", namedCurve: "P-256" };
const text = (b: Uint8Array) => b.toBase64({ alphabet: "base64url", omitPadding: true });

async function until(what: string, fn: () => boolean): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (fn()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(what);
}

Deno.test("new mail of a chosen mailbox is pushed, encrypted; not what is read, nor after logging out", async () => {
  const posts: { url: string; headers: Record<string, string>; body: Uint8Array }[] = [];
  let status = 201;
  await withWebmail(async (w) => {
    const b = await w.login();
    const browser = await crypto.subtle.generateKey(curve, true, ["deriveBits"]);
    const raw = new Uint8Array(await crypto.subtle.exportKey("raw", browser.publicKey));
    const subscription = {
      endpoint: "https://push.example/abc",
      p256dh: text(raw),
      auth: text(crypto.getRandomValues(new Uint8Array(16))),
      mailboxes: ["Inbox"],
    };
    assert.match((await b.call("PushKey", {})).key, /^B[\w-]{86}$/);
    await refused(b.call("PushSubscribe", { ...subscription, p256dh: "AAAA" }), "user");
    await refused(
      b.call("PushSubscribe", { ...subscription, endpoint: "http://push.example/x" }),
      "user",
    );
    await b.call("PushSubscribe", subscription);
    await w.deliver(message({ subject: "elsewhere" }), { mailbox: "Archive" });
    await w.deliver(message({ subject: "new" }));
    await until("pushed", () => posts.length === 1);
    const [{ url, headers, body }] = posts;
    assert.equal(url, subscription.endpoint);
    assert.equal(headers["Content-Encoding"], "aes128gcm");
    assert.match(headers.Authorization, /^vapid t=/);
    assert.ok(!new TextDecoder().decode(body).includes("new"));
    // The service says that the browser is gone.
    status = 410;
    await w.deliver(message({ subject: "second" }));
    await until("pushed again", () => posts.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await w.deliver(message({ subject: "third" }));
    status = 201;
    await b.call("PushSubscribe", subscription);
    await b.call("Logout", {});
    await w.deliver(message({ subject: "fourth" }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(posts.length, 2);
  }, {
    postPush: (url, headers, body) => {
      posts.push({ url: url.href, headers, body });
      return Promise.resolve(status);
    },
  });
});
