/**
 * Pictures of every view of the webmail, in light and dark and on a phone, from a server of its own with
 * messages that look like someone's mail. The folder for them is the argument.
 */
import type { Page } from "playwright-core";
import { withWorld } from "../tests/browser/browser.ts";
import { mails } from "./screenshot_mail.ts";

const out = Deno.args[0] ?? "screenshots";
await Deno.mkdir(out, { recursive: true });

await withWorld(async (world) => {
  for (const m of mails) await world.append(m);
  for (const look of ["light", "dark", "phone"] as const) {
    const c = await world.context({ dark: look === "dark", phone: look === "phone" });
    const shot = async (page: Page, name: string) => {
      await page.screenshot({ path: `${out}/${name}-${look}.png` });
      console.log(`${name}-${look}`);
    };
    const first = await c.newPage();
    await first.goto(world.url);
    await first.getByLabel("Email address").waitFor();
    await shot(first, "login");
    await first.close();
    const page = await world.login(c);
    const phone = look === "phone";
    const row = (text: string) => page.getByRole("option", { name: text }).first();
    await row("Lunch tomorrow?").waitFor();
    await shot(page, "list");
    await page.getByRole("option", { name: /Mira Okafor.* Re: Poster/ }).first().click();
    await page.locator(".text-body").getByText("Done. I will send it").waitFor();
    await page.locator('.message[aria-selected="true"]:not(.unread)').waitFor({
      state: "attached",
    });
    await shot(page, "message");
    const back = async () => {
      if (phone) await page.getByRole("button", { name: "Back" }).click();
    };
    await back();
    await row("What is new").click();
    await page.getByRole("button", { name: "HTML", exact: true }).click();
    await page.frameLocator("iframe").getByText("Read on").waitFor();
    await shot(page, "html");
    await back();
    await row("limited").click();
    await page.locator(".text-body").getByText("Please confirm").waitFor();
    await shot(page, "phishing");
    await page.keyboard.press("r");
    await page.getByLabel("Message text").waitFor();
    await shot(page, "compose");
    await page.getByRole("button", { name: "Discard" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Discard" }).last().click();
    await back();
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("dialog").waitFor();
    await shot(page, "filter");
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await shot(page, "help");
    await page.keyboard.press("Escape");
    if (phone) {
      await page.getByRole("button", { name: "Mailboxes" }).click();
      await shot(page, "mailboxes");
    }
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("cell", { name: "this one" }).waitFor();
    await shot(page, "settings");
    await page.keyboard.press("Escape");
    if (phone) {
      await page.getByRole("button", { name: "Inbox", exact: false }).first().click();
    }
    await page.getByRole("searchbox", { name: "Search messages" }).or(
      page.getByRole("combobox", { name: "Search messages" }),
    ).fill("from:mira poster");
    await page.keyboard.press("Enter");
    await page.getByRole("option", { name: "Re: Poster" }).first().waitFor();
    await shot(page, "search");
    await c.close();
  }
});
