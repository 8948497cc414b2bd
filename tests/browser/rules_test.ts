/** Rules for arriving mail in a real browser, on a running localserve. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { lacks } from "../support/programs.ts";
import { endDialog, withWorld } from "./browser.ts";

const option = (p: Page, name: string | RegExp) => p.getByRole("option", { name }).first();
const mailbox = (p: Page, name: string) => p.locator(`.mailbox[data-name="${name}"]`);
const dialog = (p: Page, name: string) => p.getByRole("dialog", { name, exact: true });

async function openRules(p: Page): Promise<void> {
  await p.getByRole("button", { name: "Settings" }).click();
  await p.getByRole("button", { name: "Rules for arriving mail" }).click();
  await dialog(p, "Rules for arriving mail").waitFor();
}

/** Where pictures go, if they are wanted. */
const pictures = Deno.env.get("MOX_TEST_PICTURES");

Deno.test({
  name: "rules in Chromium",
  ignore: lacks("chromium"),
  async fn(t) {
    await withWorld(async (w) => {
      await w.append({ from: "News <news@shop.example>", subject: "Old offer", text: "x" });
      await w.append({ from: "Ann <ann@example.org>", subject: "Old letter", text: "x" });
      const c = await w.context();
      const p = await w.login(c);
      const problems: string[] = [];
      p.on("pageerror", (e) => problems.push(String(e)));
      const rules = dialog(p, "Rules for arriving mail");

      await t.step("a rule is made from a message, and files what comes", async () => {
        await option(p, "Old offer").click();
        await p.getByRole("button", { name: "More" }).click();
        await p.getByRole("menuitem", { name: "Make a rule" }).click();
        const editor = dialog(p, "Rule");
        assert.equal(await editor.getByLabel("Name").inputValue(), "News");
        assert.equal(await editor.getByLabel("Text").first().inputValue(), "news@shop.example");
        await editor.getByLabel("Mailbox").fill("Offers");
        if (pictures) await p.screenshot({ path: `${pictures}/rule-editor.png` });
        await editor.getByRole("button", { name: "Keep rule" }).click();
        await rules.getByText("When sender is “news@shop.example”").waitFor();
        if (pictures) await p.screenshot({ path: `${pictures}/rules.png` });
        await rules.getByRole("button", { name: "Save" }).click();
        await p.getByText("1 rule saved.").waitFor();
        await w.deliver({ from: "News <news@shop.example>", subject: "New offer", text: "y" });
        await mailbox(p, "Offers").click();
        await option(p, "New offer").click();
        await p.getByRole("button", { name: "More" }).click();
        await p.getByRole("menuitem", { name: "What rules did" }).click();
        await dialog(p, "What rules did with this message").getByText(
          "filed into Offers (rules, line 5)",
        ).waitFor();
        await endDialog(p);
        await mailbox(p, "Inbox").click();
      });

      await t.step(
        "rules are ordered by keys, switched off, and edited as text with errors at their lines",
        async () => {
          await openRules(p);
          await rules.getByRole("button", { name: "Add a rule" }).click();
          const editor = dialog(p, "Rule");
          await editor.getByLabel("Name").fill("Letters");
          await editor.getByLabel("What is looked at").selectOption("subject");
          await editor.getByLabel("Text").fill("letter");
          await editor.getByLabel("What is done").first().selectOption("label");
          await editor.getByLabel("Label").fill("post");
          await editor.getByRole("button", { name: "Keep rule" }).click();
          const place = (n: number, name: string) =>
            rules.locator(".rules > li").nth(n).locator("strong", { hasText: name }).waitFor();
          await place(0, "Letters");
          await place(1, "News");
          await rules.locator(".rules > li").first().focus();
          await p.keyboard.press("Alt+ArrowDown");
          await place(0, "News");
          await place(1, "Letters");
          await rules.getByLabel("Rule News is on").uncheck();
          await rules.getByRole("button", { name: "Edit as text" }).click();
          const text = rules.getByLabel("Sieve script");
          const script = await text.inputValue();
          assert.match(
            script,
            /# rule:\[News\]\nif false # address :is "from" "news@shop\.example"\n\{/,
          );
          await text.fill(script.replace("stop;", "halt;"));
          await rules.getByRole("button", { name: "Save" }).click();
          await rules.getByText("Line 7, column 3: there is no command halt").waitFor();
          await text.fill(script.replace("false # ", ""));
          await rules.getByRole("button", { name: "Show as rules" }).click();
          await rules.getByLabel("Rule News is on").waitFor();
          assert.ok(await rules.getByLabel("Rule News is on").isChecked());
        },
      );

      await t.step("they are tried on mail, applied to a mailbox, and taken back", async () => {
        await rules.getByRole("button", { name: "Try on my mail" }).click();
        const tried = dialog(p, "Try the rules");
        await tried.getByText("Of 2 messages the rules would do something with 2.").waitFor();
        await tried.getByRole("cell", { name: "file into Offers" }).waitFor();
        if (pictures) await p.screenshot({ path: `${pictures}/rules-tried.png` });
        await p.keyboard.press("Escape");
        await tried.waitFor({ state: "detached" });
        await rules.getByRole("button", { name: "Apply to a mailbox" }).click();
        const apply = dialog(p, "Apply the rules");
        await apply.getByRole("button", { name: "Apply" }).click();
        await apply.getByText("2 of 2 looked at, 2 changed.").waitFor();
        await option(p, "Old offer").waitFor({ state: "detached" });
        await apply.getByRole("button", { name: "Undo" }).click();
        await p.getByText("Undone for 2 messages.").waitFor();
        await option(p, "Old offer").waitFor();
      });
      assert.deepEqual(problems, []);
      if (pictures) {
        for (
          const [name, look] of [["dark", { dark: true }], ["phone", { phone: true }]] as const
        ) {
          const q = await w.login(await w.context(look));
          if (name === "phone") await q.getByRole("button", { name: "Mailboxes" }).click();
          await openRules(q);
          await q.screenshot({ path: `${pictures}/rules-${name}.png` });
          await dialog(q, "Rules for arriving mail").getByRole("button", {
            name: "Edit",
            exact: true,
          }).first().click();
          await q.screenshot({ path: `${pictures}/rule-editor-${name}.png` });
        }
      }
    });
  },
});
