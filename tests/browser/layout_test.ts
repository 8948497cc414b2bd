/** How the webmail is laid out in a real browser: panes, sizes, looks, hints, and a phone. */
import assert from "node:assert/strict";
import { lacks } from "../support/programs.ts";
import { withWorld } from "./browser.ts";

Deno.test({
  name: "layouts of the webmail in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      await w.append({ from: "PаyPal <x@phish.example>", subject: "Poster", text: "First." });
      const c = await w.context();
      const p = await w.login(c);
      const row = p.getByRole("option", { name: /Poster/ });
      await row.waitFor();
      const list = p.locator(".message-list");
      const box = async () => (await list.boundingBox())!;

      await t.step("a chosen layout and look are kept, after a reload too", async () => {
        const wide = await box();
        await p.getByRole("button", { name: "Settings" }).click();
        await p.getByLabel("Layout").selectOption("topBottom");
        await p.getByLabel("Look").selectOption("dark");
        await p.getByRole("button", { name: "Save" }).click();
        await p.locator('.app[data-split="topBottom"]').waitFor();
        await p.locator('html[data-theme="dark"]').waitFor({ state: "attached" });
        assert.ok((await box()).width > wide.width);
        await p.reload();
        await p.locator('.app[data-split="topBottom"]').waitFor();
      });

      await t.step("panes are resized by keys and by dragging, and stay so", async () => {
        await row.waitFor();
        const bar = p.getByRole("separator", { name: "Size of the message list" });
        const before = await box();
        await bar.focus();
        await p.keyboard.press("ArrowDown");
        await p.keyboard.press("ArrowDown");
        const larger = await box();
        assert.ok(larger.height > before.height + 20, `${before.height} ${larger.height}`);
        const place = (await bar.boundingBox())!;
        await p.mouse.move(place.x + 100, place.y);
        await p.mouse.down();
        await p.mouse.move(place.x + 100, place.y - 120, { steps: 4 });
        await p.mouse.up();
        const smaller = await box();
        assert.ok(smaller.height < larger.height - 90, `${larger.height} ${smaller.height}`);
        await p.reload();
        await row.waitFor();
        assert.ok(Math.abs((await box()).height - smaller.height) < 3);
      });

      await t.step("a click on a button shows its key", async () => {
        await row.click();
        await p.getByRole("button", { name: "Flag", exact: true }).click();
        const hint = p.locator(".key-hint.shown");
        await hint.waitFor();
        assert.equal(await hint.innerText(), "s Flag");
      });

      await t.step("letters of another script within a word are underlined", async () => {
        assert.deepEqual(await row.locator(".script-switch").allInnerTexts(), ["а"]);
      });
      await c.close();

      await t.step("on a phone one pane is shown at a time", async () => {
        const phone = await w.context({ phone: true });
        const q = await w.login(phone);
        const visible = async () => ({
          mailboxes: await q.locator(".mailbox-list").isVisible(),
          list: await q.locator(".message-list").isVisible(),
          message: await q.locator(".message-view").isVisible(),
        });
        assert.deepEqual(await visible(), { mailboxes: false, list: true, message: false });
        await q.getByRole("option", { name: /Poster/ }).click();
        await q.locator(".text-body").getByText("First.").waitFor();
        assert.deepEqual(await visible(), { mailboxes: false, list: false, message: true });
        await q.getByRole("button", { name: "Back" }).click();
        assert.deepEqual(await visible(), { mailboxes: false, list: true, message: false });
        await q.getByRole("button", { name: "Mailboxes" }).click();
        assert.deepEqual(await visible(), { mailboxes: true, list: false, message: false });
        await q.locator('.mailbox[data-name="Sent"]').click();
        await q.getByText("No messages.").waitFor();
        assert.deepEqual(await visible(), { mailboxes: false, list: true, message: false });
        assert.equal(await q.evaluate<number>("document.documentElement.scrollWidth"), 390);
        await phone.close();
      });
    });
  },
});
