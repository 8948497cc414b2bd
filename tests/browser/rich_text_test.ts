/** Rich text: what is written with formats, pictures and quotes is what goes out, in HTML and in text. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { simpleParser } from "mailparser";
import type { Page } from "playwright-core";
import { loggedIn } from "../support/imap_client.ts";
import { lacks } from "../support/programs.ts";
import { violations } from "./accessibility.ts";
import { discardWriting, endDialog, withWorld, type World } from "./browser.ts";

const writing = (p: Page) => p.getByRole("dialog", { name: "Write a message" });
const option = (p: Page, name: string | RegExp) => p.getByRole("option", { name }).first();

/** A picture of one red pixel. */
const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

async function lastSent(w: World) {
  const client = await loggedIn(w.server);
  await client.mailboxOpen("Sent");
  const m = await client.fetchOne("*", { source: true });
  await client.logout();
  if (m === false) throw new Error("nothing was sent");
  return await simpleParser(m.source!);
}

Deno.test({
  name: "rich text in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      await w.append({
        from: "Ann Example <ann@example.org>",
        subject: "Plan",
        html: `<style>p { color: #060 }</style><p onclick="x()">See the <b>plan</b>:</p>
          <img src="cid:map@x" width="40"><img src="https://tracker.example/t.png" width="30">
          <table><tr><td>Mon</td><td>Tue</td></tr><tr><td>rain</td><td>sun</td></tr></table>`,
        attachments: [
          {
            filename: "map.png",
            content: Buffer.from(pixel, "base64"),
            contentType: "image/png",
            cid: "map@x",
          },
          { filename: "list.txt", content: "one\n" },
        ],
      });
      const c = await w.context();
      const p = await w.login(c);
      const problems: string[] = [];
      p.on("pageerror", (e) => problems.push(String(e)));
      p.on("request", (r) => {
        if (!r.url().startsWith(w.url) && !/^(data|blob):/.test(r.url())) problems.push(r.url());
      });
      const loaded: string[] = [];
      p.on("request", (r) => loaded.push(r.url()));
      const text = p.frameLocator("iframe.rich-text").getByRole("textbox", {
        name: "Message text",
      });
      const tool = (name: string) => writing(p).getByRole("button", { name, exact: true });

      await t.step("formats, a list, a quote and a link, and the text made of them", async () => {
        await option(p, "Plan").waitFor();
        assert.ok(!loaded.some((u) => u.endsWith("/editor")));
        await p.keyboard.press("c");
        await p.getByRole("combobox", { name: "To", exact: true }).fill("bob@localhost,");
        await p.getByLabel("Subject").fill("Formats");
        await tool("Rich text").click();
        await text.click();
        await p.keyboard.type("Dear ");
        await p.keyboard.press("Control+b");
        await p.keyboard.type("Bob");
        await p.keyboard.press("Control+b");
        await p.keyboard.type(", look:");
        await p.keyboard.press("Enter");
        await tool("List with bullets").click();
        await p.keyboard.type("apples");
        await p.keyboard.press("Enter");
        await p.keyboard.type("pears");
        await p.keyboard.press("Enter");
        await p.keyboard.press("Enter");
        await tool("Quote").click();
        await p.keyboard.type("said she");
        assert.deepEqual(await violations(p), []);
        await p.keyboard.press("Control+Enter");
        await p.getByText("Message sent.").waitFor();
        const m = await lastSent(w);
        assert.match(String(m.html), /Dear(?: |&nbsp;)<b>Bob<\/b>, look:/);
        assert.match(String(m.html), /<ul><li>.*apples.*<\/li><li>.*pears/);
        assert.match(String(m.html), /<blockquote type="cite"/);
        assert.match(m.text!, /^Dear Bob, look:\n\n- apples\n- pears\n\n> said she/);
      });

      await t.step(
        "an answer keeps the HTML and its pictures; nothing is loaded from elsewhere",
        async () => {
          await option(p, /Ann.*Plan/).click();
          await p.frameLocator(".message-body iframe").getByText("See the").waitFor();
          await p.keyboard.press("r");
          await text.getByText("See the").waitFor();
          await text.press("Control+Home");
          await p.keyboard.type("Fine with me.");
          await text.getByText("Fine with me.").waitFor();
          await p.keyboard.press("Control+s");
          await writing(p).getByText("Draft saved").waitFor();
          await p.reload();
          await p.locator('.mailbox[data-name="Drafts"]').click();
          await option(p, "Re: Plan").click();
          await p.getByRole("button", { name: "Edit draft" }).click();
          await text.getByText("Fine with me.").waitFor();
          await text.locator('img[data-cid="map@x"]').waitFor();
          await text.press("Control+Home");
          await tool("Send").click();
          await p.getByText("Message sent.").waitFor();
          const m = await lastSent(w);
          const html = String(m.html);
          assert.match(html, /Fine with me\./);
          assert.match(html, /See the <b>plan<\/b>/);
          assert.doesNotMatch(html, /onclick|<style/);
          // The parser has put the picture where its Content-ID was.
          assert.match(html, /src="data:image\/png;base64/);
          assert.match(html, /src="https:\/\/tracker\.example\/t\.png"/);
          assert.match(m.text!, /Fine with me\.[^]*> See the plan:[^]*> Mon {3}Tue\n> rain {2}sun/);
          assert.equal(m.attachments.filter((a) => a.filename === "list.txt").length, 0);
        },
      );

      await t.step(
        "a forward keeps its style and files, and a picture that is pasted goes along",
        async () => {
          await p.locator('.mailbox[data-name="Inbox"]').click();
          await option(p, /Ann.*Plan/).click();
          await p.frameLocator(".message-body iframe").getByText("See the").waitFor();
          await p.keyboard.press("f");
          await text.getByText("See the").waitFor();
          await p.getByRole("combobox", { name: "To", exact: true }).fill("bob@localhost,");
          await text.press("Control+Home");
          await text.evaluate((e, data) => {
            const g = globalThis as unknown as Record<string, new (...a: unknown[]) => never>;
            const bytes = Uint8Array.from(atob(data), (x) => x.charCodeAt(0));
            const clip: { items: { add(f: unknown): void } } = new g.DataTransfer();
            clip.items.add(new g.File([bytes], "shot.png", { type: "image/png" }));
            const event = new g.ClipboardEvent("paste", {
              clipboardData: clip,
              bubbles: true,
              cancelable: true,
            });
            (e as unknown as { dispatchEvent(e: unknown): void }).dispatchEvent(event);
          }, pixel);
          await writing(p).locator("progress").waitFor({ state: "detached" });
          await tool("Send").click();
          await writing(p).waitFor({ state: "detached" });
          const m = await lastSent(w);
          assert.deepEqual(m.attachments.map((a) => a.filename).sort(), [
            "list.txt",
            "map.png",
            "shot.png",
          ]);
          assert.equal(String(m.html).match(/src="data:image\/png/g)?.length, 2);
        },
      );

      await t.step("back to plain text", async () => {
        await option(p, /Ann.*Plan/).click();
        await p.frameLocator(".message-body iframe").getByText("See the").waitFor();
        await p.keyboard.press("r");
        await text.getByText("See the").waitFor();
        await tool("Plain text").click();
        assert.match(await p.getByLabel("Message text").inputValue(), /> See the plan:/);
        await discardWriting(p);
      });

      await t.step("a signature with formats stands in HTML and in text", async () => {
        await p.getByRole("button", { name: "Settings" }).click();
        const settings = p.locator("dialog");
        await settings.getByRole("button", { name: "Rich text" }).click();
        const sign = settings.frameLocator("iframe").getByRole("textbox", { name: "Signature" });
        await sign.click();
        await p.keyboard.type("Mox, ");
        await p.keyboard.press("Control+b");
        await p.keyboard.type("harbour office");
        await sign.getByText("harbour office").waitFor();
        assert.deepEqual(await violations(p), []);
        await settings.getByRole("button", { name: "Save" }).click();
        await settings.waitFor({ state: "detached" });
        await p.keyboard.press("c");
        const plain = p.getByLabel("Message text");
        assert.equal(await plain.inputValue(), "\n\n-- \nMox, harbour office\n");
        await tool("Rich text").click();
        await text.locator("b", { hasText: "harbour office" }).waitFor();
        await p.getByRole("combobox", { name: "To", exact: true }).fill("bob@localhost,");
        await p.getByLabel("Subject").fill("Signed");
        await text.press("Control+Home");
        await p.keyboard.type("Ahoy");
        await tool("Send").click();
        await writing(p).waitFor({ state: "detached" });
        const m = await lastSent(w);
        assert.equal(m.subject, "Signed");
        assert.match(String(m.html), /Ahoy[^]*--&nbsp;[^]*Mox,&nbsp;<b>harbour office<\/b>/);
        assert.match(m.text!, /^Ahoy\n+-- \nMox, harbour office\n?$/);
        // It is there again in the settings, and can be made plain.
        await p.getByRole("button", { name: "Settings" }).click();
        await sign.locator("b", { hasText: "harbour office" }).waitFor();
        await settings.getByRole("button", { name: "Plain text" }).click();
        assert.equal(
          await settings.getByRole("textbox", { name: "Signature" }).inputValue(),
          "Mox, harbour office",
        );
        await endDialog(p);
      });
      assert.deepEqual(problems, []);
      await c.close();
    });
  },
});
