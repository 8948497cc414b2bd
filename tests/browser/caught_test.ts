/** localserve as developers have it: the page of caught messages, with their looks, sources and checks. */
import assert from "node:assert/strict";
import nodemailer from "nodemailer";
import { chromium, type Page } from "playwright-core";
import { startLocalserve } from "../support/localserve.ts";
import { findProgram, lacks } from "../support/programs.ts";
import { violations } from "./accessibility.ts";
import { browserFlags, newContext } from "./browser.ts";

/** Where pictures go, if they are wanted. */
const pictures = Deno.env.get("MOX_TEST_PICTURES");
const shot = async (p: Page, name: string) => {
  if (pictures) await p.screenshot({ path: `${pictures}/caught-${name}.png` });
};

const html = `<!doctype html><html lang="en"><head><style>
@media (prefers-color-scheme: dark) { body { background: #123; color: #eee } }
@media (max-width: 500px) { .wide { display: none } }
.row { display: flex; gap: 1em }
</style></head><body style="font-family: sans-serif; margin: 2em">
<h1>Your order 4711</h1><p class="wide">Only on wide screens.</p>
<p>They leave our house tomorrow, and are with you on the day after that.</p>
<div class="row"><p>Two pairs of shoes</p><p>84.00</p></div>
<p><img src="cid:logo@shop.example" width="40" height="40"> <a href="https://shop.example/orders/4711">See your order</a></p>
<script>document.title = "ran"</script></body></html>`;

const dot =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

Deno.test({
  name: "the page of caught messages",
  ignore: lacks("chromium"),
  async fn(t) {
    const s = await startLocalserve(undefined, []);
    const browser = await chromium.launch({
      executablePath: findProgram("chromium"),
      args: browserFlags,
    });
    const transport = nodemailer.createTransport({
      host: "127.0.0.1",
      port: s.smtp,
      secure: false,
      ignoreTLS: true,
    });
    try {
      const c = await newContext(browser);
      const p = await c.newPage();
      const problems: string[] = [];
      p.on("pageerror", (e) => problems.push(String(e)));
      await p.goto(`http://localhost:${s.http}/caught/`);
      await p.getByText("Nothing was caught so far").waitFor();
      assert.deepEqual(await violations(p), []);

      await t.step("a message shows up by itself, with what readers see of it", async () => {
        await transport.sendMail({
          envelope: { from: "bounces@shop.example", to: ["ann@example.net", "hidden@example.net"] },
          from: "Shop <shop@shop.example>",
          to: "Ann <ann@example.net>",
          subject: "Your order 4711",
          text: "Two pairs of shoes: 84.00\n",
          html,
          attachments: [
            { filename: "logo.png", content: dot, encoding: "base64", cid: "logo@shop.example" },
            { filename: "order.csv", content: "shoes;2;84.00\n" },
          ],
        });
        await p.getByRole("link", { name: /Your order 4711/ }).click();
        const article = p.getByRole("article", { name: "Your order 4711" });
        await article.getByText("Ann <ann@example.net>").waitFor();
        await article.getByText("Envelope: bounces@shop.example to ann@example.net, hidden@")
          .waitFor();
        await article.getByRole("link", { name: "order.csv" }).waitFor();
        const frame = p.frameLocator("iframe");
        await frame.getByText("Only on wide screens.").waitFor();
        const width = await frame.locator("img").evaluate(async (e) => {
          const picture = e as unknown as { naturalWidth: number; decode(): Promise<void> };
          await picture.decode();
          return picture.naturalWidth;
        });
        assert.equal(width, 1);
        assert.deepEqual(await violations(p), []);
        await shot(p, "wide");
      });

      await t.step("widths of readers' screens", async () => {
        const frame = p.frameLocator("iframe");
        await p.getByRole("button", { name: "Phone, 390" }).click();
        await frame.getByText("Only on wide screens.").waitFor({ state: "hidden" });
        assert.equal((await p.locator("iframe").boundingBox())?.width, 390);
        await shot(p, "phone-width");
        await p.getByRole("button", { name: "All", exact: true }).click();
      });

      await t.step("HTML, text, headers, parts, source: tabs by keys", async () => {
        await p.getByRole("tab", { name: "Preview" }).press("ArrowRight");
        await p.getByRole("tabpanel", { name: "HTML" }).getByText("prefers-color-scheme").waitFor();
        await p.getByRole("tab", { name: "HTML" }).press("ArrowRight");
        await p.getByRole("tabpanel", { name: "Text" }).getByText("Two pairs of shoes: 84.00")
          .waitFor();
        await p.getByRole("tab", { name: "Text" }).press("ArrowRight");
        const headers = p.getByRole("tabpanel", { name: "Headers" });
        await headers.getByRole("rowheader", { name: "Message-ID" }).waitFor();
        await p.getByRole("tab", { name: "Headers" }).press("ArrowRight");
        const parts = p.getByRole("tabpanel", { name: "Parts" });
        await parts.getByText("multipart/mixed").waitFor();
        await parts.getByText("cid:logo@shop.example").waitFor();
        await shot(p, "parts");
        await p.getByRole("tab", { name: "Parts" }).press("ArrowRight");
        await p.getByRole("tabpanel", { name: "Source" }).getByText("Content-Transfer-Encoding")
          .first()
          .waitFor();
        assert.deepEqual(await violations(p), []);
      });

      await t.step("checks: junk's points, support by programs, accessibility", async () => {
        await p.getByRole("tab", { name: "Checks" }).click();
        const panel = p.getByRole("tabpanel", { name: "Checks" });
        await panel.getByText("1 picture has no alt").waitFor();
        await panel.getByText("0.5 points; filters that count").waitFor();
        await panel.getByRole("link", { name: /display:flex/ }).waitFor();
        await panel.getByLabel("IP address").fill("nonsense");
        await panel.getByRole("button", { name: "Ask the DNS" }).click();
        await panel.getByText("nonsense is not an IP address").waitFor();
        assert.deepEqual(await violations(p), []);
        await shot(p, "checks");

        const id = await (await fetch(`http://127.0.0.1:${s.http}/api/v1/message/latest`)).json();
        const api = `http://127.0.0.1:${s.http}/api/v1/message/${id.ID}`;
        const parts = await (await fetch(`${api}/parts`)).json();
        assert.equal(parts.ContentType, "multipart/mixed");
        const flat = JSON.stringify(parts);
        assert.match(flat, /"FileName":"order.csv"/);
        const check = await (await fetch(`${api}/check`)).json();
        assert.equal(check.SpamScore, 0.5);
        assert.equal(check.SpamLimit, 5);
      });

      await t.step(
        "search by a recipient that no header names; keys; the webmail leads here",
        async () => {
          await transport.sendMail({
            from: "shop@shop.example",
            to: "ben@example.net",
            subject: "WINNER WINNER!!!",
            html: '<a href="http://192.0.2.7/"><img src="https://x.example/a.png"></a>',
          });
          await p.getByRole("link", { name: /WINNER/ }).waitFor();
          await p.getByLabel("Search").fill("to:hidden@example.net");
          await p.getByText("1 of 2 found").waitFor();
          assert.equal(await p.getByRole("link", { name: /WINNER/ }).count(), 0);
          await p.getByLabel("Search").fill("");
          await p.getByRole("link", { name: /WINNER/ }).waitFor();
          await p.getByRole("tab", { name: "Checks" }).focus();
          await p.keyboard.press("k");
          const article = p.getByRole("article", { name: /WINNER/ });
          await article.getByText("7.8 points").waitFor();
          await shot(p, "junk");

          const mail = await c.newPage();
          await mail.goto(`http://localhost:${s.http}/webmail/`);
          await mail.getByRole("option", { name: /Your order/ }).click();
          await mail.getByRole("heading", { name: "Your order 4711" }).waitFor();
          await mail.getByRole("button", { name: "More", exact: true }).click();
          const opened = c.waitForEvent("page");
          await mail.getByRole("menuitem", { name: "Checks" }).click();
          await (await opened).getByRole("article", { name: "Your order 4711" }).waitFor();
        },
      );

      await t.step("on a phone, in the dark; one deleted, then all", async () => {
        const phone = await newContext(browser, { phone: true, dark: true });
        const q = await phone.newPage();
        await q.goto(`http://localhost:${s.http}/caught/`);
        await q.getByRole("link", { name: /Your order/ }).waitFor();
        await shot(q, "phone-list");
        await q.getByRole("link", { name: /Your order/ }).click();
        await q.frameLocator("iframe").getByText("Your order 4711").waitFor();
        assert.deepEqual(await violations(q), []);
        const wide = await q.evaluate("document.documentElement.scrollWidth > innerWidth");
        assert.equal(wide, false);
        await shot(q, "phone-message");
        await q.getByRole("tab", { name: "Headers" }).click();
        await q.getByRole("tabpanel", { name: "Headers" }).getByText("Message-ID").waitFor();
        await shot(q, "phone-headers");
        await q.getByRole("button", { name: "Delete", exact: true }).click();
        await q.getByText("1 message", { exact: true }).waitFor();
        await q.getByRole("button", { name: "Delete all", exact: true }).click();
        await q.getByRole("dialog").getByRole("button", { name: "Delete all" }).click();
        await q.getByText("Nothing was caught so far").waitFor();
        await phone.close();
      });
      assert.deepEqual(problems, []);
      await c.close();
    } finally {
      await browser.close();
      await s.close();
    }
  },
});
