/** Many windows of one browser, over HTTP/1.1 without TLS, where a browser has six connections to a host. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { patience, withWorld } from "./browser.ts";

const option = (p: Page, name: string | RegExp) => p.getByRole("option", { name }).first();

Deno.test({
  name: "nine windows of the webmail in one browser, without HTTP/2",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      await w.append({ subject: "the first", text: "one" });
      const c = await w.context();
      // Windows behind others are slowed down by the browser, and there are nine.
      c.setDefaultTimeout(3 * patience);
      const windows = [await w.login(c)];
      await option(windows[0], "the first").waitFor();

      await t.step("each shows its list, and each can call", async () => {
        while (windows.length < 9) {
          const p = await c.newPage();
          await p.goto(w.url);
          await option(p, "the first").waitFor();
          windows.push(p);
        }
        for (const p of windows) {
          await option(p, "the first").click();
          await p.locator(".message-head h1", { hasText: "the first" }).waitFor();
        }
      });

      await t.step("what arrives appears in all of them", async () => {
        await w.deliver({ subject: "for all", text: "two" });
        await Promise.all(windows.map((p) => option(p, "for all").waitFor()));
      });

      await t.step("each has a view of its own", async () => {
        const search = windows[4].getByRole("combobox", { name: "Search messages" });
        await search.fill("subject:first");
        await search.press("Enter");
        await windows[4].locator(".list-status", { hasText: "1 message" }).waitFor();
        await windows[4].getByRole("option", { name: "for all" }).waitFor({ state: "detached" });
        assert.equal(await windows[5].getByRole("option", { name: "for all" }).count(), 1);
        await search.fill("");
        await search.press("Enter");
        await option(windows[4], "for all").waitFor();
      });

      await t.step(
        "the first one closes, one is reloaded, one crashes: the others go on",
        async () => {
          await windows.shift()!.close();
          await windows[0].reload();
          await option(windows[0], "for all").waitFor();
          const crashed = windows.pop()!;
          const gone = crashed.waitForEvent("crash");
          // The address ends the page's process; going there never ends.
          crashed.goto("chrome://crash").catch(() => {});
          await gone;
          await w.deliver({ subject: "for the rest", text: "three" });
          await Promise.all(windows.map((p) => option(p, "for the rest").waitFor()));
        },
      );

      await t.step("the server has one event stream, not one for each", async () => {
        const open = await windows[0].evaluate(async () => {
          const names = performance.getEntriesByType("resource").map((e) => e.name);
          // Nothing of a page's own; another window, another connection to the host, still gets through.
          await fetch(location.href);
          return names.filter((n) => n.includes("/events?")).length;
        });
        assert.equal(open, 0);
      });

      await t.step("logging out in one ends them all", async () => {
        await windows[0].getByRole("button", { name: "Log out" }).click();
        await Promise.all(windows.map((p) => p.getByLabel("Password").waitFor()));
      });

      await t.step("and logging in again begins a stream of the new session", async () => {
        const [p] = windows;
        await p.getByLabel("Email address").fill("mox@localhost");
        await p.getByLabel("Password").fill("moxmoxmox");
        await p.getByRole("button", { name: "Log in" }).click();
        await option(p, "for the rest").waitFor();
        await w.deliver({ subject: "once more", text: "four" });
        await option(p, "once more").waitFor();
      });
    });
  },
});
