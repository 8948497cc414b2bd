/** The page in other languages, also from right to left. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { violations } from "./accessibility.ts";
import { withWorld } from "./browser.ts";

/** Where pictures go, if they are wanted. */
const pictures = Deno.env.get("MOX_TEST_PICTURES");
const shot = async (p: Page, name: string) => {
  if (pictures) await p.screenshot({ path: `${pictures}/language-${name}.png` });
};

/** Texts that are shown in the page's own parts, with letters of the Latin script in them. */
const latin = (p: Page) =>
  p.evaluate<string[]>(`[...document.querySelectorAll("button, h2, label, option, summary")]
    .filter((e) => e.checkVisibility() && /[A-Za-z]{3}/.test(e.textContent) && !e.textContent.includes("@"))
    .map((e) => e.textContent.trim())`);

Deno.test({
  name: "the webmail in German and Arabic in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      await w.append({ subject: "Bericht", text: "Zahlen.\n" });
      await w.append({
        from: "ليلى <laila@example.org>",
        subject: "موعد الغد",
        text: "نلتقي غدًا.\n",
      });
      const problems: string[] = [];

      await t.step("a browser that speaks German has it in German, from the login on", async () => {
        const c = await w.browser.newContext({ locale: "de-AT" });
        c.setDefaultTimeout(20_000);
        const p = await c.newPage();
        p.on("pageerror", (e) => problems.push(String(e)));
        await p.goto(w.url);
        await p.getByLabel("E-Mail-Adresse").fill("mox@localhost");
        await p.getByLabel("Passwort").fill("moxmoxmox");
        await p.getByRole("button", { name: "Anmelden", exact: true }).click();
        await p.getByRole("option", { name: "Bericht" }).click();
        await p.locator(".text-body").getByText("Zahlen.").waitFor();
        await p.locator(".mailbox", { hasText: "Posteingang" }).waitFor();
        assert.equal(await p.locator("html").getAttribute("lang"), "de");
        await p.locator(".list-status").getByText("2 Nachrichten").waitFor();
        await p.keyboard.press("r");
        const text = p.getByLabel("Nachrichtentext");
        await text.waitFor();
        assert.match(await text.inputValue(), /^Am .* schrieb Ann Example:\n> Zahlen\./);
        await p.getByRole("dialog", { name: "Nachricht schreiben" })
          .getByRole("button", { name: "Verwerfen" }).click();
        await p.locator("dialog").getByRole("button", { name: "Verwerfen" }).click();
        await text.waitFor({ state: "detached" });
        await c.close();
      });

      const c = await w.context();
      const p = await w.login(c);
      p.on("pageerror", (e) => problems.push(String(e)));
      const choose = async (settings: string, label: string, save: string, name: string) => {
        await p.getByRole("button", { name: settings, exact: true }).click();
        await p.getByLabel(label, { exact: true }).selectOption({ label: name });
        await p.getByRole("button", { name: save, exact: true }).click();
      };

      await t.step("Arabic is chosen: the page runs from right to left", async () => {
        await p.getByRole("option", { name: "Bericht" }).waitFor();
        await choose("Settings", "Language", "Save", "العربية");
        await p.locator('html[dir="rtl"][lang="ar"]').waitFor({ state: "attached" });
        await p.getByRole("option", { name: "موعد الغد" }).click();
        await p.locator(".text-body").getByText("نلتقي غدًا.").waitFor();
        const [boxes, list, message] = await Promise.all(
          [".mailbox-list", ".message-list", ".message-view"].map(async (s) =>
            (await p.locator(s).boundingBox())!
          ),
        );
        assert.ok(boxes.x > list.x && list.x > message.x, `${boxes.x} ${list.x} ${message.x}`);
        assert.equal(
          await p.evaluate<number>("document.documentElement.scrollWidth - innerWidth"),
          0,
        );
        assert.deepEqual(await latin(p), []);
        assert.deepEqual(await violations(p), []);
        await shot(p, "ar-message");
        // Keys and mouse move the edges as the eye sees them.
        await p.getByRole("separator", { name: "عرض قائمة الصناديق" }).focus();
        await p.keyboard.press("ArrowLeft");
        assert.equal((await p.locator(".mailbox-list").boundingBox())!.width, boxes.width + 20);
      });

      await t.step("writing, settings and a phone from right to left", async () => {
        await p.keyboard.press("r");
        const text = p.getByLabel("نص الرسالة");
        await text.waitFor();
        await shot(p, "ar-compose");
        assert.deepEqual(await violations(p), []);
        await p.getByRole("dialog", { name: "كتابة رسالة" })
          .getByRole("button", { name: "تجاهل" }).click();
        await p.locator("dialog").getByRole("button", { name: "تجاهل" }).click();
        await text.waitFor({ state: "detached" });
        await p.getByRole("button", { name: "الإعدادات", exact: true }).click();
        await p.getByRole("cell", { name: "هذه" }).waitFor();
        await shot(p, "ar-settings");
        assert.deepEqual(await violations(p), []);
        await p.keyboard.press("Escape");
        await p.locator("dialog").waitFor({ state: "detached" });
        await p.setViewportSize({ width: 390, height: 800 });
        await p.locator(".text-body").getByText("نلتقي غدًا.").waitFor({ state: "attached" });
        assert.equal(
          await p.evaluate<number>("document.documentElement.scrollWidth - innerWidth"),
          0,
        );
        await shot(p, "ar-phone");
        await p.setViewportSize({ width: 1360, height: 820 });
      });

      await t.step(
        "the choice is the account's: another browser follows it, and back",
        async () => {
          const other = await w.context();
          const q = await other.newPage();
          await q.goto(w.url);
          await q.getByLabel("Email address").fill("mox@localhost");
          await q.getByLabel("Password").fill("moxmoxmox");
          await q.getByRole("button", { name: "Log in" }).click();
          await q.locator('html[lang="ar"]').waitFor({ state: "attached" });
          await q.getByRole("option", { name: "Bericht" }).waitFor();
          await other.close();
          await choose("الإعدادات", "اللغة", "حفظ", "English");
          await p.locator('html[dir="ltr"][lang="en"]').waitFor({ state: "attached" });
          await p.getByRole("button", { name: "Compose" }).waitFor();
        },
      );
      assert.deepEqual(problems, []);
      await c.close();
    });
  },
});
