/** Keeping order: labels with their colours, putting away, files dropped, how much there is. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { violations } from "./accessibility.ts";
import { discardWriting, withWorld } from "./browser.ts";

const option = (p: Page, name: string | RegExp) => p.getByRole("option", { name }).first();
const mailbox = (p: Page, name: string) => p.locator(`.mailbox[data-name="${name}"]`);

Deno.test({
  name: "keeping order in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      await w.append({ subject: "Report", text: "Numbers.\n" });
      await w.append({ subject: "Party", text: "On Friday.\n" });
      const c = await w.context();
      const p = await w.login(c);
      const problems: string[] = [];
      p.on("pageerror", (e) => problems.push(String(e)));
      await option(p, "Report").click();
      await p.locator(".text-body").getByText("Numbers.").waitFor();

      await t.step("a label is listed, shows its messages, and gets another colour", async () => {
        await p.keyboard.press("l");
        await p.getByRole("textbox", { name: /Keywords to add/ }).fill("work");
        await p.keyboard.press("Enter");
        const label = p.locator(".label-row", { hasText: "work" });
        await label.click();
        await p.locator(".list-status", { hasText: "1 message" }).waitFor();
        await option(p, /work.*Report/).waitFor();
        const hue = () =>
          p.locator(".row-subject .label.keyword").evaluate((e) =>
            (e as unknown as { style: { getPropertyValue(n: string): string } }).style
              .getPropertyValue("--hue")
          );
        const before = await hue();
        await label.click({ button: "right" });
        await p.getByRole("menuitemcheckbox", { checked: false }).first().click();
        await p.waitForFunction(
          (b) =>
            (globalThis as unknown as {
              document: { querySelector(s: string): { style: { cssText: string } } };
            }).document.querySelector(".row-subject .label.keyword").style.cssText !==
              `--hue: ${b};`,
          before,
        );
        assert.notEqual(await hue(), before);
        assert.deepEqual(await violations(p), []);
        await mailbox(p, "Inbox").click();
      });

      await t.step("a message is put away until tomorrow", async () => {
        await option(p, "Party").click();
        await p.locator(".text-body").getByText("On Friday.").waitFor();
        await p.keyboard.press("b");
        await p.getByRole("menuitem", { name: "Tomorrow morning" }).click();
        await p.getByText(/put away until/).waitFor();
        await option(p, "Party").waitFor({ state: "detached" });
        await mailbox(p, "Snoozed").click();
        await option(p, "Party").waitFor();
        await p.keyboard.press("z");
        await p.getByText("Undone for 1 message.").waitFor();
        await mailbox(p, "Inbox").click();
        await option(p, "Party").waitFor();
      });

      await t.step("a file that is dropped on the list is a message there", async () => {
        await p.locator(".message-list").evaluate((e) => {
          const g = globalThis as unknown as Record<string, new (...a: unknown[]) => never>;
          const data: { items: { add(f: unknown): void } } = new g.DataTransfer();
          data.items.add(new g.File(["Subject: From the desktop\n\nhi\n"], "m.eml"));
          const event = new g.DragEvent("drop", {
            dataTransfer: data,
            bubbles: true,
            cancelable: true,
          });
          (e as unknown as { dispatchEvent(e: unknown): void }).dispatchEvent(event);
        });
        await p.getByText("1 message put here.").waitFor();
        await option(p, "From the desktop").waitFor();
        assert.match(await p.locator(".quota").innerText(), /[\d.]+ k?B used/);
      });
      assert.deepEqual(problems, []);
      await c.close();
    });
  },
});

Deno.test({
  name: "templates are kept, put in, and removed; a signature stands under what is written",
  ignore: lacks("chromium"),
  async fn() {
    await withWorld(async (w) => {
      const c = await w.context();
      const p = await w.login(c);
      await p.getByRole("button", { name: "Settings" }).click();
      await p.getByLabel("Signature", { exact: true }).fill("Mox\nAt the desk");
      await p.getByRole("button", { name: "Save" }).click();
      await p.getByText("Settings saved.").waitFor();
      await p.keyboard.press("c");
      const text = p.getByLabel("Message text");
      await text.waitFor();
      assert.equal(await text.inputValue(), "\n\n-- \nMox\nAt the desk\n");
      await text.fill("Thank you for your order.\n");
      await p.getByLabel("Subject").fill("Your order");
      await p.getByRole("button", { name: "Templates" }).click();
      await p.getByRole("menuitem", { name: /^Keep this text/ }).click();
      await p.locator("dialog[open] input").waitFor();
      await p.keyboard.press("Enter");
      await p.getByText("Template kept.").waitFor();
      await p.locator("dialog").waitFor({ state: "detached" });
      await discardWriting(p);
      await p.keyboard.press("c");
      await p.getByRole("button", { name: "Templates" }).click();
      await p.getByRole("menuitem", { name: "Your order" }).click();
      assert.equal(await p.getByLabel("Subject").inputValue(), "Your order");
      assert.equal(
        await text.inputValue(),
        "Thank you for your order.\n\n\n-- \nMox\nAt the desk\n",
      );
      await p.getByRole("button", { name: "Templates" }).click();
      await p.getByRole("menuitem", { name: /^Remove a template/ }).click();
      await p.getByRole("menuitem", { name: "Your order" }).click();
      await p.getByText("Template removed.").waitFor();
      await c.close();
    });
  },
});
