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
