/** A day's work by keys alone: no mouse, from the login to the logout. */
import { lacks } from "../support/programs.ts";
import { withWorld } from "./browser.ts";

Deno.test({
  name: "a day's work by keys alone",
  ignore: lacks("chromium"),
  async fn() {
    await withWorld(async (w) => {
      await w.append({ subject: "Minutes", text: "1. Opening\n" });
      await w.append({ subject: "Lunch", text: "At noon?\n" });
      const c = await w.context();
      const p = await c.newPage();
      const press = async (...keys: string[]) => {
        for (const k of keys) await p.keyboard.press(k);
      };
      const shown = (text: string) => p.getByText(text).first().waitFor();
      const row = (name: string | RegExp) => p.getByRole("option", { name }).first();
      await p.goto(w.url);
      await p.getByLabel("Email address").waitFor();
      await p.keyboard.type("mox@localhost");
      await press("Tab");
      await p.keyboard.type("moxmoxmox");
      await press("Enter");
      await row("Lunch").waitFor();

      // Reading, answering, putting away.
      await press("Home");
      await p.locator(".text-body").getByText("At noon?").waitFor();
      await press("a");
      await shown("moved to archive");
      await row("Lunch").waitFor({ state: "detached" });
      await press("z");
      await shown("Undone for 1 message.");
      await row("Lunch").waitFor();
      await press("Home");
      await p.locator(".text-body").getByText("At noon?").waitFor();
      await press("r");
      await p.getByLabel("Message text").waitFor();
      await p.keyboard.type("Gladly.");
      await press("Control+Enter");
      await shown("Message sent.");
      await p.getByRole("dialog", { name: "Write a message" }).waitFor({ state: "detached" });
      await press("End");
      await p.locator(".text-body").getByText("Opening").waitFor();
      await press("s");
      await row(/Flagged.*Minutes/).waitFor();
      await press("b");
      await p.getByRole("menu").waitFor();
      await press("ArrowDown", "Enter");
      await shown("put away until");

      // A message from nothing: recipients by completion, subject, text.
      await press("c");
      await p.getByRole("combobox", { name: "To", exact: true }).waitFor();
      await p.keyboard.type("bob@localhost,");
      await p.getByRole("listitem").filter({ hasText: "bob@localhost" }).waitFor();
      for (let i = 0; i < 6; i++) {
        await press("Tab");
        const at = await p.evaluate<string>("document.activeElement.id");
        if (at.startsWith("subject")) break;
      }
      await p.keyboard.type("By keys");
      await press("Tab");
      await p.keyboard.type("All of it.");
      await press("Control+Enter");
      await p.getByRole("dialog", { name: "Write a message" }).waitFor({ state: "detached" });

      // Another mailbox, a search, the help, and out.
      await p.locator('.mailbox[data-name="Sent"]').waitFor();
      await press("g");
      while (await p.evaluate<string>("document.activeElement.dataset.name") !== "Sent") {
        await press("ArrowDown");
      }
      await press("Enter");
      await row("By keys").waitFor();
      await press("/");
      await p.keyboard.type("subject:lunch");
      await press("Enter");
      await p.locator(".list-status", { hasText: "1 message" }).waitFor();
      await press("Escape");
      await p.locator(".list-status", { hasText: "1 message" }).waitFor({ state: "detached" });
      await press("?");
      await p.getByRole("dialog").waitFor();
      await press("Escape");
      await p.getByRole("dialog").waitFor({ state: "detached" });
      for (let i = 0; i < 40; i++) {
        await press("Tab");
        const at = await p.evaluate<string>("document.activeElement.textContent.trim()");
        if (at === "Log out") break;
      }
      await press("Enter");
      await p.getByLabel("Password").waitFor();
      await c.close();
    });
  },
});
