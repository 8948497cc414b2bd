/** Lists without messages, and what is said of a draft on a phone. */
import assert from "node:assert/strict";
import { lacks } from "../support/programs.ts";
import { violations } from "./accessibility.ts";
import { discardWriting, withWorld } from "./browser.ts";

Deno.test({
  name: "a list without messages says why, and a phone shows that a draft is saved, in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      await w.append({ subject: "Boats", text: "The keys are at the desk." });
      const c = await w.context({ phone: true });
      const p = await w.login(c);
      const row = p.getByRole("option", { name: "Boats" });
      const button = (name: string) => p.getByRole("button", { name, exact: true });
      await row.waitFor();

      await t.step("an empty mailbox, a search there, in all mail, and none", async () => {
        await button("Mailboxes").click();
        await p.locator('.mailbox[data-name="Archive"]').click();
        await p.getByText(/^.?Archive.? is empty\.$/).waitFor();
        const search = p.getByRole("combobox", { name: "Search messages" });
        await search.fill("boats");
        await search.press("Enter");
        await p.getByText(/^Nothing was found in .?Archive.?\.$/).waitFor();
        assert.deepEqual(await violations(p), []);
        await button("Search in all mail").click();
        await row.waitFor();
        assert.equal(await search.inputValue(), "boats");
        await search.fill("nobody-wrote-this");
        await search.press("Enter");
        await p.getByText("Nothing was found.", { exact: true }).waitFor();
        await button("Clear the search").click();
        await row.waitFor();
        assert.equal(await search.inputValue(), "");
        assert.equal(await p.locator(".nothing-listed").textContent(), "");
      });

      await t.step("what is said of a draft is seen, and its buttons are reached", async () => {
        await button("Compose").click();
        await p.getByLabel("Message text").fill("A letter.");
        const state = p.locator(".compose-states").getByText("Draft saved");
        await state.waitFor();
        const box = (await state.boundingBox())!;
        assert.ok(box.x >= 0 && box.x + box.width <= 390, JSON.stringify(box));
        await discardWriting(p);
      });
      await c.close();
    });
  },
});
