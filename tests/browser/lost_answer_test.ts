/** A draft whose save was done while the answer was lost on the way: it is one's own, and nobody is asked about it. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import { loggedIn } from "../support/imap_client.ts";
import { lacks } from "../support/programs.ts";
import { discardWriting, patience, withWorld, type World } from "./browser.ts";

const writing = (p: Page) => p.getByRole("dialog", { name: "Write a message" });

/** The only draft, as another mail program reads it; "" as long as there is none. */
async function draft(w: World): Promise<string> {
  const client = await loggedIn(w.server);
  try {
    const { exists } = await client.mailboxOpen("Drafts");
    assert.ok(exists <= 1, `${exists} drafts`);
    if (exists === 0) return "";
    const m = await client.fetchOne("*", { source: true });
    return m === false ? "" : m.source!.toString();
  } finally {
    await client.logout();
  }
}

/** Waits until the draft on the server has these words, and returns it. */
async function draftWith(w: World, words: string): Promise<string> {
  const end = Date.now() + patience;
  for (;;) {
    const found = await draft(w);
    if (found.includes(words)) return found;
    assert.ok(Date.now() < end, `no draft with ${words}: ${found}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

Deno.test({
  name: "a draft that was saved without an answer, in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      const c = await w.context();
      const p = await w.login(c);
      const problems: string[] = [];
      p.on("pageerror", (e) => problems.push(String(e)));
      const text = p.getByLabel("Message text");

      /** Saves what the page sends next, and loses the answers until the returned function is called. */
      const loseAnswers = async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        await p.route(/api\/DraftSave$/, async (r) => {
          await r.fetch().catch(() => {});
          await r.abort().catch(() => {});
          resolve();
        });
        return {
          lost: promise,
          end: () => p.unroute(/api\/DraftSave$/),
        };
      };

      await t.step("what is written on is saved without a question", async () => {
        await p.keyboard.press("c");
        await p.getByRole("combobox", { name: "To", exact: true }).fill("bob@localhost,");
        await p.getByLabel("Subject").fill("Lost answer");
        await p.locator('.compose input[type="file"]').setInputFiles({
          name: "list.txt",
          mimeType: "text/plain",
          buffer: Buffer.from("one two three"),
        });
        await writing(p).getByText("list.txt").waitFor();
        await text.fill("First words.");
        await draftWith(w, "First words.");
        await writing(p).getByText("Draft saved").waitFor();
        const answers = await loseAnswers();
        await text.fill("First words. Second words.");
        await answers.lost;
        await writing(p).getByText("Kept in this browser until the server can be reached")
          .waitFor();
        await answers.end();
        await text.fill("First words. Second words. Third words.");
        assert.match(await draftWith(w, "Third words."), /list\.txt/);
        await writing(p).getByText("Draft saved").waitFor();
        assert.equal(
          await writing(p).getByRole("button", { name: "Keep this version" }).count(),
          0,
        );
      });

      await t.step("another window's words are asked about all the same", async () => {
        const answers = await loseAnswers();
        await text.fill("Fourth words.");
        await answers.lost;
        await writing(p).getByText("Kept in this browser until the server can be reached")
          .waitFor();
        // Another browser goes on with the same draft.
        const other = await w.context();
        const q = await w.login(other);
        await q.locator('.mailbox[data-name="Drafts"]').click();
        await q.getByRole("option", { name: "Lost answer" }).click();
        await q.locator(".text-body").getByText("Fourth words.").waitFor();
        await q.getByRole("button", { name: "Edit draft", exact: true }).click();
        await q.getByLabel("Message text").fill("Words of another.");
        await draftWith(w, "Words of another.");
        await other.close();
        await answers.end();
        await text.fill("Fifth words.");
        await writing(p).getByRole("button", { name: "Keep this version" }).click();
        await draftWith(w, "Fifth words.");
        await discardWriting(p);
      });
      assert.deepEqual(problems, []);
      await c.close();
    });
  },
});
