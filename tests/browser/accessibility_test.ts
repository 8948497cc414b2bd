/** Each view of the webmail for people who use it with a screen reader, keys only, or on a phone. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { violations } from "./accessibility.ts";
import { discardWriting, endDialog, withWorld } from "./browser.ts";

Deno.test({
  name: "axe finds nothing serious in any view, light, dark, and on a phone",
  ignore: lacks("chromium"),
  async fn() {
    await withWorld(async (w) => {
      await w.append({ subject: "Poster", text: "First.", messageId: "<a@x.y>" });
      await w.append({
        from: "PаyPal <x@phish.example>",
        subject: "Re: Poster",
        text: "> quoted\n\nSee https://print.example/1\n-- \nMe\n",
        html: `<p>See</p><img src="https://tracker.example/x.png">`,
        messageId: "<b@x.y>",
        inReplyTo: "<a@x.y>",
        attachments: [{ filename: "list.txt", content: "one\n" }],
      });
      for (const look of ["light", "dark", "phone"]) {
        const phone = look === "phone";
        const c = await w.context({ dark: look === "dark", phone });
        // In the dark only the colours are others.
        const rules = look === "dark" ? ["color-contrast"] : undefined;
        const check = async (p: Page, view: string) =>
          assert.deepEqual(await violations(p, rules), [], `${view}, ${look}`);
        const first = await c.newPage();
        await first.goto(w.url);
        await first.getByLabel("Password").waitFor();
        await check(first, "login");
        await first.close();
        const p = await w.login(c);
        const row = p.getByRole("option", { name: /Re: Poster/ }).first();
        await row.waitFor();
        await check(p, "list");
        await row.click();
        await p.getByRole("button", { name: "Text", exact: true }).click();
        await p.locator(".text-body").first().waitFor();
        await check(p, "message");
        await p.getByRole("button", { name: "More", exact: true }).click();
        await p.getByRole("menu").waitFor();
        await check(p, "menu");
        await p.keyboard.press("Escape");
        await p.getByRole("menu").waitFor({ state: "detached" });
        await p.getByRole("button", { name: "HTML", exact: true }).click();
        await p.frameLocator("iframe").getByText("See").waitFor();
        await check(p, "html");
        await p.getByRole("button", { name: /list\.txt/ }).first().click();
        await p.getByRole("dialog").waitFor();
        await check(p, "attachment");
        await endDialog(p);
        await p.keyboard.press("r");
        await p.frameLocator("iframe.rich-text").getByText("See").waitFor();
        await check(p, "compose");
        await p.getByRole("button", { name: "Options" }).click();
        await p.getByLabel("Send at").waitFor();
        await check(p, "send options");
        await endDialog(p);
        await discardWriting(p);
        if (phone) await p.getByRole("button", { name: "Back" }).click();
        await p.getByRole("button", { name: "Filter" }).click();
        await p.locator("dialog[open]").waitFor();
        await check(p, "filter");
        await endDialog(p);
        await p.keyboard.press("?");
        await p.locator("dialog[open]").waitFor();
        await check(p, "help");
        await endDialog(p);
        if (phone) {
          await p.getByRole("button", { name: "Mailboxes" }).click();
          await check(p, "mailboxes");
        }
        await p.getByRole("button", { name: "Settings" }).click();
        await p.getByRole("cell", { name: "this one" }).waitFor();
        await check(p, "settings");
        await c.close();
      }
    });
  },
});

Deno.test({
  name: "keys alone: Tab reaches the panes, a dialog keeps the focus and gives it back",
  ignore: lacks("chromium"),
  async fn() {
    await withWorld(async (w) => {
      await w.append({ subject: "Poster", text: "First." });
      const c = await w.context();
      const p = await w.login(c);
      await p.getByRole("option", { name: /Poster/ }).waitFor();
      const reached = new Set<string>();
      for (let i = 0; i < 40; i++) {
        await p.keyboard.press("Tab");
        reached.add(
          await p.evaluate<string>(
            "document.activeElement.getAttribute('aria-label') ?? " +
              "document.activeElement.textContent.trim()",
          ),
        );
      }
      for (const name of ["Compose", "Search messages", "Filter", "Help", "Messages", "Drafts"]) {
        assert.ok(reached.has(name), `${name} in ${[...reached].join(", ")}`);
      }
      await p.getByRole("listbox", { name: "Messages" }).focus();
      await p.keyboard.press("ArrowDown");
      await p.locator(".text-body").getByText("First.").waitFor();
      await p.keyboard.press("l");
      const dialog = p.getByRole("dialog", { name: "Keywords" });
      await dialog.waitFor();
      for (let i = 0; i < 6; i++) await p.keyboard.press("Tab");
      assert.ok(
        await p.evaluate<boolean>(
          "document.activeElement === document.body || " +
            "document.activeElement.closest('dialog') !== null",
        ),
      );
      await p.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      assert.equal(
        await p.evaluate<string>("document.activeElement.getAttribute('aria-label')"),
        "Messages",
      );
      await c.close();
    });
  },
});
