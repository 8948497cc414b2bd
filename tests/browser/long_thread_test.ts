/** A long thread, of which the page has only what its line shows until somebody opens it or acts on it. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { violations } from "./accessibility.ts";
import { withWorld } from "./browser.ts";

/** More than a view sends whole of its first thread. */
const length = 30;

const option = (p: Page, name: string | RegExp) => p.getByRole("option", { name });
const mailbox = (p: Page, name: string) => p.locator(`.mailbox[data-name="${name}"]`);

Deno.test({
  name: "a long thread in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      for (let i = 0; i < length; i++) {
        await w.append({
          from: `P${i} <p${i}@example.org>`,
          subject: i === 0 ? "Trip" : "Re: Trip",
          text: `Message ${i}.\n`,
          messageId: `<t${i}@x.y>`,
          ...i === 0 ? {} : { inReplyTo: "<t0@x.y>" },
          date: new Date(Date.UTC(2026, 0, 1, 10, i)),
          seen: i !== 12,
        });
      }
      const c = await w.context();
      const p = await w.login(c);
      const problems: string[] = [];
      p.on("pageerror", (e) => problems.push(String(e)));
      const trip = option(p, /Trip/);

      await t.step("it is one line with its number and what is unread in it", async () => {
        await option(p, new RegExp(`Unread.*thread of ${length} messages.*Trip`)).waitFor();
        assert.equal(await trip.count(), 1);
        assert.deepEqual(await violations(p), []);
      });

      await t.step("its line opens the newest message, and asks for nothing else", async () => {
        await trip.first().click();
        await p.locator(".message-body").getByText(`Message ${length - 1}.`).waitFor();
        await p.locator(".bulk").getByText(`${length} messages selected`).waitFor();
        assert.equal(await trip.count(), 1);
      });

      await t.step("the right arrow shows all of it, answers below what they answer", async () => {
        await p.keyboard.press("ArrowRight");
        await option(p, /P12.*Trip/).waitFor();
        assert.equal(await trip.count(), length);
        assert.equal(await p.locator("[role=option].reply").count(), length - 1);
        assert.deepEqual(await violations(p), []);
      });

      await t.step("what is done to its line after a reload is done to all of it", async () => {
        await p.keyboard.press("ArrowLeft");
        await p.waitForFunction(() =>
          (globalThis as unknown as { document: { querySelectorAll(s: string): unknown[] } })
            .document.querySelectorAll("[role=option]").length === 1
        );
        await p.reload();
        await trip.first().click();
        await p.locator(".bulk").getByText(`${length} messages selected`).waitFor();
        await p.keyboard.press("m");
        await option(p, /^(?!.*Unread).*Trip/).waitFor();
        await p.keyboard.press("s");
        await option(p, /Flagged.*Trip/).waitFor();
        await p.keyboard.press("s");
        await option(p, /^(?!.*Flagged).*Trip/).waitFor();
        await p.keyboard.press("a");
        await p.getByText(`${length} messages moved to archive.`).waitFor();
        await trip.first().waitFor({ state: "detached" });
        await mailbox(p, "Archive").click();
        await option(p, new RegExp(`thread of ${length} messages.*Trip`)).waitFor();
        await p.keyboard.press("z");
        await p.getByText(`Undone for ${length} messages.`).waitFor();
        await mailbox(p, "Inbox").click();
        await option(p, new RegExp(`thread of ${length} messages.*Trip`)).waitFor();
      });
      assert.deepEqual(problems, []);
      await c.close();
    });
  },
});
