/**
 * Pictures of every view of the webmail: light, dark, on a phone, from right to left (wide and on a phone), and at
 * 200 % zoom, from a server of its own with messages that look like someone's mail. Arguments: the folder for them;
 * the looks that are wanted, by comma; the views that are wanted, by comma. A view that can't be had is named, and
 * the others go on.
 */
import type { BrowserContext } from "playwright-core";
import { withWorld, type World } from "../tests/browser/browser.ts";
import arabic from "../webmail/languages/ar.json" with { type: "json" };
import { keepGroupware, mails, writtenHere } from "./screenshot_mail.ts";

const [out = "screenshots", looksWanted = "", viewsWanted = ""] = Deno.args;
await Deno.mkdir(out, { recursive: true });

const looks = ["light", "dark", "phone", "arabic", "arabic-phone", "zoom"] as const;
type Look = typeof looks[number];

async function context(world: World, look: Look): Promise<BrowserContext> {
  const c = look === "zoom"
    ? await world.browser.newContext({
      viewport: { width: 680, height: 410 },
      deviceScaleFactor: 2,
      locale: "en-GB",
    })
    : look.startsWith("arabic")
    ? await world.browser.newContext({
      viewport: look === "arabic" ? { width: 1360, height: 820 } : { width: 390, height: 800 },
      locale: "ar-EG",
    })
    : await world.context({ dark: look === "dark", phone: look === "phone" });
  c.setDefaultTimeout(8000);
  return c;
}

/** Parts that reach out of the window, or out of the box that cuts them off, where that is not meant. */
const outside = `(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter((e) => { const b = e.getBoundingClientRect(); return b.right > width + 1 || b.left < -1; })
    .slice(0, 3).map((e) => e.outerHTML.slice(0, 80));
})()`;

await withWorld(async (world) => {
  for (const m of mails) await world.append(m);
  await keepGroupware(world.server.http);
  for (const look of looks) {
    if (looksWanted !== "" && !looksWanted.split(",").includes(look)) continue;
    const c = await context(world, look);
    const phone = look === "phone" || look === "arabic-phone" || look === "zoom";
    const texts: Record<string, string> = look.startsWith("arabic") ? arabic : {};
    const t = (text: string) => texts[text] ?? text;
    const first = await c.newPage();
    await first.goto(world.url);
    const password = first.getByLabel(t("Password"));
    await password.waitFor();
    await first.screenshot({ path: `${out}/${look}-login.png` });
    const page = first;
    await page.getByLabel(t("Email address")).fill("mox@localhost");
    await password.fill("moxmoxmox");
    await page.getByRole("button", { name: t("Log in"), exact: true }).click();
    await page.getByRole("listbox", { name: t("Messages") }).waitFor();

    const row = (text: string | RegExp) => page.getByRole("option", { name: text }).first();
    const click = (name: string) =>
      page.getByRole("button", { name: t(name), exact: true }).first().click();
    const shot = async (name: string) => {
      await page.screenshot({ path: `${out}/${look}-${name}.png` });
      const wider = await page.evaluate<string[]>(outside);
      console.log(`${look}-${name}${wider.length > 0 ? `: too wide: ${wider.join(" | ")}` : ""}`);
    };
    const fresh = async () => {
      await page.goto("about:blank");
      await page.goto(world.url);
      await row("Lunch tomorrow?").waitFor();
    };
    const menu = async (name: string) => {
      await click("More");
      await page.getByRole("menuitem", { name: t(name) }).click();
    };
    const settled = () => page.locator(".calendar-view[aria-busy=false]").waitFor();
    const general = async (name: string) => {
      if (phone) await click("Mailboxes");
      await click(name);
    };
    const views: Record<string, () => Promise<void>> = {
      list: async () => await shot("list"),
      message: async () => {
        await row("Due soon").click();
        await page.locator(".text-body").getByText("The book is due").waitFor();
        await shot("message");
        await click("More");
        await shot("message-menu");
      },
      thread: async () => {
        await row(/Mira Okafor.* Re: Poster/).click();
        await page.locator(".text-body").getByText("Done. I will send it").waitFor();
        await page.locator(".conversation-line").first().waitFor();
        await shot("thread");
        await page.locator(".conversation-line").first().click();
        await page.locator(".conversation-message").first().waitFor();
        await shot("thread-open");
      },
      html: async () => {
        await row("What is new").click();
        await page.frameLocator("iframe").getByText("Read on").waitFor();
        await shot("html");
      },
      phishing: async () => {
        await row("limited").click();
        await page.locator(".text-body").getByText("Please confirm").waitFor();
        await shot("phishing");
      },
      invitation: async () => {
        await row("Boat race").click();
        await page.getByRole("region", { name: t("Invitation") }).waitFor();
        await shot("invitation");
      },
      card: async () => {
        await row("My card").click();
        await page.getByRole("region", { name: t("Contact") }).waitFor();
        await shot("card");
      },
      attachment: async () => {
        await row(/Mira Okafor.* Re: Poster/).click();
        await page.locator(".conversation-line").first().click();
        await page.getByRole("button", { name: "notes.txt" }).click();
        await page.getByRole("dialog").waitFor();
        await shot("attachment");
      },
      many: async () => {
        await row("Lunch tomorrow?").click();
        await page.keyboard.press("Escape");
        await row("Lunch tomorrow?").click({ modifiers: ["Control"] });
        await row("Due soon").click({ modifiers: ["Control"] });
        await shot("many");
      },
      compose: async () => {
        await page.keyboard.press("c");
        await page.getByRole("combobox", { name: t("To"), exact: true }).fill(
          "Mira Okafor <mira@studio.example>, nonsense, jonas@concert.example,",
        );
        await page.getByLabel(t("Subject")).fill("The poster, once more");
        await page.getByLabel(t("Message text")).fill(writtenHere);
        await page.locator(".compose-state:not(:empty)").waitFor();
        await shot("compose");
        if (!phone) {
          await page.locator(".window-buttons button").first().click();
          await shot("compose-small");
          await page.locator(".window-buttons button").first().click();
        }
        await click("Rich text");
        await page.frameLocator("iframe.rich-text").getByRole("textbox").waitFor();
        await shot("compose-rich");
        await click("Options");
        await shot("compose-options");
        await page.keyboard.press("Escape");
        await page.locator(".compose footer").getByRole("button", { name: t("Discard") }).click();
        await page.locator("dialog").waitFor();
        await shot("compose-discard");
        await page.locator("dialog").getByRole("button", { name: t("Discard") }).click();
        await page.locator(".compose").waitFor({ state: "detached" });
      },
      reply: async () => {
        await row("Lunch tomorrow?").click();
        await page.locator(".text-body").waitFor();
        await page.keyboard.press("r");
        await page.getByLabel(t("Message text")).waitFor();
        await shot("reply");
        await page.locator(".compose footer").getByRole("button", { name: t("Discard") }).click();
        await page.locator("dialog").getByRole("button", { name: t("Discard") }).click();
        await page.locator(".compose").waitFor({ state: "detached" });
      },
      filter: async () => {
        await click("Filter");
        await page.getByRole("dialog").waitFor();
        await shot("filter");
      },
      search: async () => {
        await page.getByRole("combobox", { name: t("Search messages") }).fill(
          "from:mira poster ha",
        );
        await page.locator(".completions li").first().waitFor();
        await shot("search-completing");
        await page.getByRole("combobox", { name: t("Search messages") }).fill("from:mira poster");
        await page.keyboard.press("Enter");
        await row("Re: Poster").waitFor();
        await shot("search");
        await page.getByRole("combobox", { name: t("Search messages") }).fill("nothing-has-this");
        await page.keyboard.press("Enter");
        await page.getByText(t("No messages.")).or(page.locator(".message-list .empty")).first()
          .waitFor();
        await shot("search-none");
      },
      help: async () => {
        await page.keyboard.press("?");
        await page.getByRole("dialog").waitFor();
        await shot("help");
      },
      mailboxes: async () => {
        if (phone) await click("Mailboxes");
        await page.locator(".mailbox-more").first().click();
        await shot("mailboxes");
      },
      empty: async () => {
        if (phone) await click("Mailboxes");
        await page.locator('.mailbox[data-name="Archive"]').click();
        await page.getByText(t("No messages.")).waitFor();
        await shot("empty");
      },
      settings: async () => {
        await general("Settings");
        await page.getByRole("cell", { name: t("this one") }).waitFor();
        await shot("settings");
        await page.locator("dialog").evaluate("(e) => { e.scrollTop = 650; }").catch(() => {});
        await page.evaluate(`document.querySelector("dialog").scrollTop = 600`);
        await shot("settings-2");
        await page.evaluate(`document.querySelector("dialog").scrollTop = 9999`);
        await shot("settings-3");
      },
      rules: async () => {
        await row("Due soon").click();
        await page.locator(".text-body").getByText("The book is due").waitFor();
        await menu("Make a rule");
        await page.locator(".rule-form").waitFor();
        await shot("rule-editor");
        await page.locator(".rule-rows").last().locator("input").first().fill("Library");
        await click("Keep rule");
        await page.locator(".rules > li").first().waitFor();
        await shot("rules");
      },
      contacts: async () => {
        await general("Contacts");
        await page.locator(".contact-row").first().waitFor();
        await shot("contacts");
        await page.locator(".contact-row").first().click();
        await page.locator(".contact-fields").waitFor();
        await shot("contacts-person");
        await click("Edit");
        await page.locator(".contact-form").waitFor();
        await shot("contacts-form");
      },
      calendar: async () => {
        await general("Calendar");
        await settled();
        await shot("calendar-month");
        for (const view of ["Week", "Day", "List"]) {
          await click(view);
          await page.locator(`.calendar-view[data-view=${view.toLowerCase()}][aria-busy=false]`)
            .waitFor();
          await shot(`calendar-${view.toLowerCase()}`);
        }
        await click("New event");
        await page.locator(".event-fields").waitFor();
        await shot("calendar-event");
      },
    };
    for (const [name, view] of Object.entries(views)) {
      if (viewsWanted !== "" && !viewsWanted.split(",").includes(name)) continue;
      try {
        await fresh();
        await view();
      } catch (err) {
        await page.screenshot({ path: `${out}/${look}-${name}-failed.png` }).catch(() => {});
        console.log(`${look}-${name}: ${String(err).split("\n").slice(0, 4).join(" ")}`);
      }
    }
    await c.close();
  }
});
