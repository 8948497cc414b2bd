/** HTML messages as their senders made them: which part is shown, colours, dark pages, directions, links. */
import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { discardWriting, withWorld } from "./browser.ts";

const option = (p: Page, name: string | RegExp) => p.getByRole("option", { name }).first();

/** What is used of a page's own world. */
interface Dom {
  getComputedStyle(e: unknown): Record<string, string>;
  document: {
    createElement(name: string): {
      getContext(kind: string): {
        fillStyle: string;
        fillRect(...n: number[]): void;
        getImageData(...n: number[]): { data: number[] };
      };
    };
  };
}

/** Red, green and blue of a style as it is computed, 0 to 255. */
async function color(l: Locator, property: string): Promise<number[]> {
  const found = await l.evaluate((e, property) => {
    // Drawn anew since it was found: it has no style any more.
    if (!(e as unknown as { isConnected: boolean }).isConnected) return undefined;
    const dom = globalThis as unknown as Dom;
    const c = dom.document.createElement("canvas").getContext("2d");
    c.fillStyle = dom.getComputedStyle(e)[property];
    c.fillRect(0, 0, 1, 1);
    return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3);
  }, property);
  return found ?? await color(l, property);
}

/** Waits for text from right to left; its element may be drawn anew meanwhile, as when the message is marked as read. */
const rightToLeft = (p: Page, l: Locator) => l.and(p.locator(":dir(rtl)")).waitFor();

const bright = (c: number[]) => c.reduce((a, b) => a + b) / 3;

/** Turns letters of one width on or off. */
async function monospace(p: Page): Promise<void> {
  await p.getByRole("button", { name: "More", exact: true }).click();
  await p.getByRole("menuitemcheckbox", { name: "Monospace" }).click();
}

Deno.test({
  name: "HTML messages in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      await w.append({
        subject: "Newsletter",
        text: "View this email in your browser: https://news.example/1\n",
        html: `<html dir="rtl"><head><style>body { background: #ffeedd; color: #112233 }
          .hero { background: #00aa55 url(https://news.example/hero.png) no-repeat }
          </style></head><body bgcolor="#ffffff"><div class="hero">Big news</div>
          <table bgcolor="#ffff00"><tr><td id="cell">a cell</td><td>b</td></tr></table>
          <p><font color="#000080">navy words</font>
          <a href="mailto:editor@news.example?subject=Hi%20there">write</a></p></body></html>`,
      });
      await w.append({
        subject: "Plain words",
        text: "The same words in both, nothing else to see here.\n",
        html: "<p>The same words in both, nothing else to see here.</p>",
      });
      await w.append({
        subject: "Own dark",
        html: `<style>p { color: rgb(1, 2, 3) }
          @media (prefers-color-scheme: dark) { p { color: rgb(250, 240, 230) } }</style><p>mine</p>`,
      });
      await w.append({
        subject: "A patch",
        text: "diff --git a/x b/x\n@@ -1,2 +1,2 @@\n-old   line\n+new   line\n",
      });
      await w.append({ subject: "שלום עולם", text: "שלום, what a day.\n" });
      const people = Array.from({ length: 200 }, (_, i) => `P${i} <p${i}@example.org>`);
      await w.append({
        subject: "To many",
        to: `mox@localhost, ${people.join(", ")}`,
        headers: { Cc: people.map((a) => a.replaceAll(/[Pp](?=\d)/g, "c")).join(", ") },
        text: "Hello all.\n",
      });
      const c = await w.context();
      const p = await w.login(c);
      const frame = p.frameLocator(".message-body iframe");

      await t.step(
        "the part that says more is shown, and the other where both say the same",
        async () => {
          await option(p, "Newsletter").click();
          await frame.getByText("Big news").waitFor();
          await option(p, "Plain words").click();
          await p.locator(".text-body").getByText("The same words").waitFor();
        },
      );

      await t.step(
        "colours of the page, of attributes, and under pictures that aren't loaded",
        async () => {
          await option(p, "Newsletter").click();
          await frame.getByText("Big news").waitFor();
          assert.deepEqual(await color(frame.locator(".mail-body"), "backgroundColor"), [
            0xff,
            0xee,
            0xdd,
          ]);
          assert.deepEqual(await color(frame.locator(".mail-body"), "color"), [0x11, 0x22, 0x33]);
          assert.deepEqual(await color(frame.locator(".hero"), "backgroundColor"), [0, 0xaa, 0x55]);
          assert.deepEqual(await color(frame.locator("table"), "backgroundColor"), [255, 255, 0]);
          assert.equal(await frame.locator(".mail-html").getAttribute("dir"), "rtl");
        },
      );

      await t.step("a link that writes opens the compose window", async () => {
        const opened = c.waitForEvent("page");
        await frame.getByRole("link", { name: "write" }).click();
        const q = await opened;
        await q.getByLabel("Message text").waitFor();
        assert.equal(await q.getByLabel("Subject").inputValue(), "Hi there");
        await q.getByRole("listitem").filter({ hasText: "editor@news.example" }).waitFor();
        await q.close();
      });

      await t.step(
        "text with columns keeps them; a toggle for others; directions by the text",
        async () => {
          await option(p, "A patch").click();
          await p.locator(".text-body.mono").getByText("-old   line").waitFor();
          await option(p, "שלום").click();
          await p.locator(".text-body:not(.mono)").waitFor();
          await rightToLeft(p, p.locator(".message-head h1"));
          await rightToLeft(p, p.locator(".text-body > div").first());
          await rightToLeft(p, option(p, "שלום").locator(".subject"));
          await monospace(p);
          await p.locator(".text-body.mono").waitFor();
          await monospace(p);
        },
      );

      await t.step("a reply to all reaches all, and Send can be clicked", async () => {
        await option(p, "To many").click();
        await p.locator(".text-body").getByText("Hello all.").waitFor();
        await p.keyboard.press("R");
        const compose = p.getByRole("dialog", { name: "Write a message" });
        await compose.getByLabel("Message text").waitFor();
        await compose.getByText("Draft saved").waitFor({ state: "hidden" });
        await p.keyboard.type("Yes. ");
        await compose.getByText("Draft saved").waitFor();
        const send = compose.getByRole("button", { name: "Send", exact: true });
        await send.click({ trial: true });
        const rest = compose.getByRole("button", { name: /^and \d+ more$/ });
        while (await rest.count() > 0) await rest.first().click();
        await send.click({ trial: true });
        assert.equal(await compose.getByRole("listitem").count(), 401);
        await discardWriting(p);
      });

      await t.step(
        "a dark page: readable, pictures as they are, and back; also if only the page is dark",
        async () => {
          await p.getByRole("button", { name: "Settings" }).click();
          await p.getByLabel("Look").selectOption("dark");
          await p.getByRole("button", { name: "Save" }).click();
          await p.getByRole("dialog").waitFor({ state: "detached" });
          await option(p, "Newsletter").click();
          await frame.getByText("Big news").waitFor();
          const paper = bright(await color(frame.locator(".mail-body"), "backgroundColor"));
          const ink = bright(await color(frame.locator(".mail-body"), "color"));
          assert.ok(paper < 70 && ink > 170, `${paper} ${ink}`);
          const navy = await color(frame.getByText("navy words"), "color");
          assert.ok(bright(navy) > 90 && navy[2] > navy[0], String(navy));
          await p.getByRole("button", { name: "Dark", exact: true }).click();
          await frame.getByText("Big news").waitFor();
          assert.equal(
            bright(await color(frame.locator(".mail-body"), "backgroundColor")) > 200,
            true,
          );
          await p.getByRole("button", { name: "Dark", exact: true }).click();
          await option(p, "Own dark").click();
          assert.deepEqual(await color(frame.getByText("mine"), "color"), [250, 240, 230]);
        },
      );
      await c.close();
    });
  },
});
