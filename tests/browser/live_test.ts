/** What happens by itself in a real browser: new mail, broken connections, several windows. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { withWorld } from "./browser.ts";

const option = (p: Page, name: string | RegExp) => p.getByRole("option", { name }).first();

Deno.test({
  name: "the webmail in Chromium follows the server",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      const start = Date.now();
      await w.append(...Array.from({ length: 250 }, (_, i) => ({
        subject: `number ${i}`,
        text: `text ${i}`,
        date: new Date(start - i * 3_600_000),
      })));
      const c = await w.context();
      const p = await w.login(c);
      const problems: string[] = [];
      p.on("pageerror", (e) => problems.push(String(e)));

      await t.step("a long list is loaded as one goes down", async () => {
        await option(p, "number 0").waitFor();
        await p.locator(".list-status", { hasText: "250 messages" }).waitFor();
        assert.ok(await p.getByRole("option").count() < 250);
        await option(p, "number 0").click();
        await p.locator('.message[aria-selected="true"]:not(.unread)').waitFor();
        for (const n of [99, 199, 249]) {
          await option(p, new RegExp(`number ${n} `)).waitFor();
          await p.keyboard.press("End");
          await p.locator(".message-head h1", { hasText: `number ${n}` }).waitFor();
          await p.locator('.message[aria-selected="true"]:not(.unread)').waitFor();
        }
        await p.keyboard.press("Home");
        await p.keyboard.press("ArrowDown");
        await p.locator(".message-head h1", { hasText: "number 1" }).waitFor();
        await p.locator('.message[aria-selected="true"]:not(.unread)').waitFor();
      });

      await t.step("all that a search finds is acted on, also what isn't loaded", async () => {
        const search = p.getByRole("combobox", { name: "Search messages" });
        await search.fill("subject:number is:unread");
        await search.press("Enter");
        await p.locator(".list-status", { hasText: "100 messages and more" }).waitFor();
        await p.getByRole("listbox", { name: "Messages" }).focus();
        await p.keyboard.press("Control+a");
        await p.getByRole("button", { name: "Select all found" }).click();
        await p.getByText("All 245 messages found are selected.").waitFor();
        await p.getByRole("button", { name: "Read", exact: true }).click();
        await p.locator('.mailbox[data-name="Inbox"]:not(.unread)').waitFor();
        await search.fill("");
        await p.locator(".list-status", { hasText: "250 messages" }).waitFor();
      });

      await t.step("new mail appears in all windows", async () => {
        const other = await c.newPage();
        await other.goto(w.url);
        await option(other, "number 0").waitFor();
        await w.deliver({ subject: "fresh", text: "just now" });
        await option(p, "fresh").waitFor();
        await option(other, "fresh").waitFor();
        await option(other, "fresh").click();
        await p.locator(".message:not(.unread)", { hasText: "fresh" }).waitFor();
        await other.close();
      });

      await t.step("a broken connection is told, and comes back by itself", async () => {
        await c.setOffline(true);
        await p.getByText("Not connected, trying again").waitFor();
        await w.deliver({ subject: "meanwhile", text: "while away" });
        await c.setOffline(false);
        await option(p, "meanwhile").waitFor();
        await p.getByText("Not connected").waitFor({ state: "detached" });
      });

      await t.step("logging out in one window ends the other", async () => {
        const other = await c.newPage();
        await other.goto(w.url);
        await option(other, "number 0").waitFor();
        await other.getByRole("button", { name: "Log out" }).click();
        await other.getByLabel("Password").waitFor();
        await p.getByLabel("Password").waitFor();
      });

      assert.deepEqual(problems, []);
      await c.close();
    });
  },
});
