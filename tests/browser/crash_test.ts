/** What is written survives the death of the server: while it saves, while it sends, and where the account is full. */
import assert from "node:assert/strict";
import { chromium, type Page } from "playwright-core";
import { loggedIn } from "../support/imap_client.ts";
import { type Localserve, startLocalserve } from "../support/localserve.ts";
import { findProgram, lacks } from "../support/programs.ts";
import { browserFlags, newContext, patience } from "./browser.ts";

const writing = (p: Page) => p.getByRole("dialog", { name: "Write a message" });
const body = (p: Page) => p.getByLabel("Message text");

/** Messages of a mailbox with a text, as another mail program reads them. */
async function holding(server: Localserve, name: string, text: string): Promise<number> {
  const client = await loggedIn(server);
  let n = 0;
  try {
    await client.mailboxOpen(name);
    for await (const m of client.fetch("1:*", { source: true })) {
      if (m.source!.toString().includes(text)) n++;
    }
  } catch {
    // No such mailbox, or nothing in it.
  }
  await client.logout();
  return n;
}

async function until(what: string, fn: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 2 * patience;
  while (!await fn()) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function login(p: Page, server: Localserve): Promise<void> {
  await p.goto(`http://localhost:${server.http}/webmail/`);
  await p.getByLabel("Email address").fill("mox@localhost");
  await p.getByLabel("Password").fill("moxmoxmox");
  await p.getByRole("button", { name: "Log in" }).click();
  await p.getByRole("listbox", { name: "Messages" }).waitFor();
}

async function write(p: Page, subject: string, text: string): Promise<void> {
  await p.getByRole("button", { name: "Compose" }).click();
  await p.getByRole("combobox", { name: "To", exact: true }).fill("bob@localhost,");
  await p.getByLabel("Subject").fill(subject);
  await body(p).fill(text);
}

Deno.test({
  name: "what is written outlives the server's death",
  ignore: lacks("chromium"),
  async fn(t) {
    let server = await startLocalserve();
    const { dir, offset } = server;
    const browser = await chromium.launch({
      executablePath: findProgram("chromium"),
      args: browserFlags,
    });
    const again = async () => server = await startLocalserve({ dir, offset });
    try {
      const c = await newContext(browser);
      const p = await c.newPage();
      const problems: string[] = [];
      p.on("pageerror", (e) => problems.push(String(e)));
      await login(p, server);

      await t.step("killed while a draft is saved: it is there when the server is", async () => {
        const saving = p.waitForRequest((r) => r.url().endsWith("/DraftSave"));
        await write(p, "Cut off", "the first words");
        await saving;
        await server.signal("SIGKILL");
        await body(p).fill("the first words, and those after the end");
        await writing(p).getByText("Kept in this browser").waitFor();
        await again();
        await writing(p).getByText("Draft saved").waitFor({ timeout: 2 * patience });
        assert.equal(await holding(server, "Drafts", "and those after the end"), 1);
        assert.equal(await holding(server, "Drafts", "the first words"), 1);
      });

      await t.step(
        "a page that is closed while the server is dead has it at the next visit",
        async () => {
          await server.signal("SIGKILL");
          await body(p).fill("the last words of all");
          await writing(p).getByText("Kept in this browser").waitFor();
          await p.close();
          await again();
          const q = await c.newPage();
          q.on("pageerror", (e) => problems.push(String(e)));
          await q.goto(`http://localhost:${server.http}/webmail/`);
          await body(q).waitFor();
          assert.equal((await body(q).inputValue()).trimEnd(), "the last words of all");
          await writing(q).getByText("Draft saved").waitFor({ timeout: 2 * patience });
          assert.equal(await holding(server, "Drafts", "the last words of all"), 1);
          await q.close();
        },
      );

      for (const at of ["asked", "answered"] as const) {
        await t.step(
          `killed when sending is ${at}: it is sent once, or still being written`,
          async () => {
            const q = await c.newPage();
            q.on("pageerror", (e) => problems.push(String(e)));
            await q.goto(`http://localhost:${server.http}/webmail/`);
            await q.getByRole("listbox", { name: "Messages" }).waitFor();
            const text = `to be sent when ${at}`;
            await write(q, `Sent ${at}`, text);
            const sending = at === "asked"
              ? q.waitForRequest((r) => r.url().endsWith("/Send"))
              : q.waitForResponse((r) => r.url().endsWith("/Send"));
            await q.keyboard.press("Control+Enter");
            await sending;
            await server.signal("SIGKILL");
            await again();
            // Where the answer was lost the message is still in its window, and the same is sent again by keys.
            const failed = q.getByRole("alert").getByText(/\w/).first().waitFor().then(() => true);
            const gone = writing(q).waitFor({ state: "detached" }).then(() => false);
            // Only one of them comes to be.
            for (const other of [failed, gone]) other.catch(() => {});
            if (await Promise.race([failed, gone])) {
              const over = q.locator("body:not(:has(.compose))");
              const ready = writing(q).and(q.locator(":not([inert])"));
              await ready.or(over).first().waitFor();
              await q.keyboard.press("Control+Enter");
              // Or it went out before the answer was lost: then it isn't sent again, and the window says so.
              const close = writing(q).getByRole("alert").getByRole("button", { name: "Close" });
              await Promise.any([close.click(), over.waitFor()]);
            }
            await writing(q).waitFor({ state: "detached" });
            // Wherever the kill came between the page and the queue, and whoever went on: the same is there.
            await until("it is in Sent", async () => await holding(server, "Sent", text) > 0);
            await until(
              "no draft is left",
              async () => await holding(server, "Drafts", text) === 0,
            );
            assert.equal(await holding(server, "Sent", text), 1);
            // Who it is for has it at least once: the queue may have been killed between delivery and its note.
            await until("it has arrived", async () => await holding(server, "INBOX", text) > 0);
            await q.close();
          },
        );
      }
      assert.deepEqual(problems, []);
    } finally {
      await browser.close();
      await server.close();
    }
  },
});
