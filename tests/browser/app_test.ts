/** The webmail as an app of the browser: its manifest, its worker, and the page without a connection. */
import assert from "node:assert/strict";
import { lacks } from "../support/programs.ts";
import { withWorld } from "./browser.ts";

Deno.test({
  name: "the webmail is an app: manifest, worker, and a page without a connection",
  ignore: lacks("chromium"),
  async fn() {
    await withWorld(async (w) => {
      await w.append({ subject: "Hello", text: "hi\n" });
      const c = await w.context();
      const p = await w.login(c);
      const problems: string[] = [];
      p.on("console", (m) => m.type() === "error" && problems.push(m.text()));
      await p.getByRole("option", { name: "Hello" }).waitFor();
      const href = await p.locator('link[rel="manifest"]').getAttribute("href");
      const manifest = await (await fetch(w.url + href)).json();
      assert.equal(manifest.display, "standalone");
      for (const icon of manifest.icons) {
        const r = await fetch(w.url + icon.src);
        assert.equal(r.headers.get("content-type"), "image/svg+xml; charset=utf-8");
        await r.body?.cancel();
      }
      await p.waitForFunction("navigator.serviceWorker.controller !== null");
      assert.deepEqual(problems, []);
      await c.setOffline(true);
      await p.reload();
      await p.getByText("The server can't be reached.").waitFor();
      await c.setOffline(false);
      await p.getByRole("option", { name: "Hello" }).waitFor();
      // What another app shares, and what a link writes.
      await p.goto(`${w.url}?subject=Look&url=${encodeURIComponent("https://x.example/")}`);
      await p.getByLabel("Message text").waitFor();
      assert.equal(await p.getByLabel("Subject").inputValue(), "Look");
      assert.match(await p.getByLabel("Message text").inputValue(), /https:\/\/x\.example\//);
      await c.close();
    });
  },
});

Deno.test({
  name: "parts that are loaded when they are opened: without a connection, and of another version",
  ignore: lacks("chromium"),
  async fn() {
    await withWorld(async (w) => {
      const c = await w.context();
      const p = await w.login(c);
      const loads: string[] = [];
      p.on("request", (r) => loads.push(new URL(r.url()).pathname));
      await p.getByRole("listbox").first().waitFor();
      const alert = p.locator(".toasts.alerts");
      assert.deepEqual(loads.filter((l) => l.endsWith("later.js")), []);

      await p.route("**/later.js", (route) => route.abort());
      await p.keyboard.press("K");
      await alert.getByText("Check the connection, and try again.").waitFor();
      await p.unroute("**/later.js");

      // Its hash isn't the one in the page's policy: the browser doesn't run it.
      await p.route(
        "**/later.js",
        (route) =>
          route.fulfill({
            contentType: "text/javascript",
            body: "moxLater.parts={};document.title='no'",
          }),
      );
      await p.keyboard.press("P");
      await alert.getByText("newer version of this page").waitFor();
      assert.notEqual(await p.title(), "no");
      await p.unroute("**/later.js");

      await p.keyboard.press("K");
      await p.getByRole("dialog", { name: "Calendar" }).waitFor();
      await p.keyboard.press("Escape");
      await p.getByRole("dialog", { name: "Calendar" }).waitFor({ state: "detached" });
      const before = loads.filter((l) => l.endsWith("later.js")).length;
      await p.keyboard.press("P");
      await p.getByRole("dialog", { name: "Contacts" }).waitFor();
      assert.equal(loads.filter((l) => l.endsWith("later.js")).length, before);
      await c.close();
    });
  },
});
