/** The account page in other languages: each section, from left to right and from right to left. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { violations } from "./accessibility.ts";
import { withWorld } from "./browser.ts";

/** Where pictures go, if they are wanted. */
const pictures = Deno.env.get("MOX_TEST_PICTURES");

type Texts = Record<string, string>;

/** Read, not imported: the program has the same files in it as texts. */
const catalogue = (language: string): Texts =>
  JSON.parse(
    Deno.readTextFileSync(new URL(`../../webmail/languages/${language}.json`, import.meta.url)),
  );
const german = catalogue("de");
const arabic = catalogue("ar");

/** Sections by their names in the address, with what their heading is in English. */
const sections = {
  account: "Account",
  addresses: "Addresses",
  away: "Away",
  delegation: "Delegation",
  encryption: "Encryption",
  junk: "Junk",
  sessions: "Logins",
  suppressions: "Suppressions",
  transfer: "Import and export",
  webhooks: "Webhooks",
  programs: "Mail programs",
};

/** Texts of the page's own parts that still have words of Latin letters, names of formats and protocols apart. */
const latin = (p: Page) =>
  p.evaluate<string[]>(
    `[...document.querySelectorAll("button, a, h1, h2, label, option, summary, th, dt, .muted")]
    .filter((e) => e.checkVisibility())
    .map((e) => e.textContent.trim())
    .filter((s) => !s.includes("@") && /[A-Za-z]{3}/.test(s.replace(
      /Other Users|OpenPGP|S\\/MIME|MIME|TLS|IMAP|SMTP|OAuth2|HTTPS|Maildir|mbox|zip|tar|tgz|eml|vcf|ics|UID|URL|Webhook-Signature|STARTTLS|Sieve|Inbox|Archive|Drafts|Sent|Trash|Junk|BEGIN|CERTIFICATE|PEM/g, "")))`,
  );

async function logIn(p: Page, origin: string, texts: Texts): Promise<void> {
  await p.goto(`${origin}/`);
  await p.getByLabel(texts["Email address"], { exact: true }).fill("mox@localhost");
  await p.getByLabel(texts["Password"], { exact: true }).fill("moxmoxmox");
  await p.getByRole("button", { name: texts["Log in"], exact: true }).click();
  await p.getByRole("heading", { name: texts["Who you are"] }).waitFor();
}

async function show(p: Page, id: string, heading: string): Promise<void> {
  await p.evaluate(`location.hash = "#${id}"`);
  await p.locator(`main[data-section="${id}"]`).waitFor();
  await p.getByRole("heading", { name: heading, level: 1, exact: true }).waitFor();
}

Deno.test({
  name: "the account page in German and Arabic in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      const { origin } = new URL(w.url);
      const problems: string[] = [];

      await t.step("in the browser's language, from the login on", async () => {
        const c = await w.browser.newContext({ locale: "de-DE" });
        c.setDefaultTimeout(20_000);
        const p = await c.newPage();
        p.on("pageerror", (e) => problems.push(String(e)));
        await logIn(p, origin, german);
        assert.equal(await p.locator("html").getAttribute("lang"), "de");
        await show(p, "away", german.Away);
        await p.getByRole("button", { name: german["Turn on"], exact: true }).click();
        await p.getByLabel(german["Days before the same sender gets another reply"]).waitFor();
        assert.deepEqual(await violations(p), []);
        await c.close();
      });

      await t.step("in Arabic each section runs from right to left, all of it", async () => {
        for (const width of [1360, 390]) {
          const c = await w.browser.newContext({
            locale: "ar-EG",
            viewport: { width, height: 820 },
          });
          c.setDefaultTimeout(20_000);
          const p = await c.newPage();
          p.on("pageerror", (e) => problems.push(String(e)));
          await logIn(p, origin, arabic);
          assert.equal(await p.locator("html").getAttribute("dir"), "rtl");
          for (const [id, heading] of Object.entries(sections)) {
            await show(p, id, arabic[heading]);
            if (pictures) {
              await p.screenshot({
                path: `${pictures}/account-ar-${width}-${id}.png`,
                fullPage: true,
              });
            }
            assert.deepEqual(await latin(p), [], id);
            assert.equal(
              await p.evaluate<number>("document.documentElement.scrollWidth - innerWidth"),
              0,
              id,
            );
            if (width === 1360) assert.deepEqual(await violations(p), [], id);
          }
          await c.close();
        }
      });
      assert.deepEqual(problems, []);
    });
  },
});
