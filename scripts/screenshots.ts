/**
 * Pictures of every view of the webmail, in light and dark and on a phone, from a server of its own with
 * messages that look like someone's mail. The folder for them is the argument.
 */
import type { Page } from "playwright-core";
import { type Mail, withWorld } from "../tests/browser/browser.ts";

const out = Deno.args[0] ?? "screenshots";
await Deno.mkdir(out, { recursive: true });

const hour = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * hour);

/** A picture that is no more than a gradient. */
const picture =
  `<svg xmlns="http://www.w3.org/2000/svg" width="560" height="240"><defs><linearGradient id="g" ` +
  `x2="1"><stop stop-color="#cfe6ef"/><stop offset="1" stop-color="#2f6f8f"/></linearGradient></defs>` +
  `<rect width="560" height="240" fill="url(#g)"/></svg>`;

const mails: Mail[] = [
  {
    from: "Priya Raman <priya@rowing.example>",
    subject: "Boat house keys",
    text: "Hi,\n\nthe new keys are at the desk. Bring the old one.\n\nPriya\n",
    date: ago(200),
    seen: true,
  },
  {
    from: "Accounts <billing@hosting.example>",
    subject: "Invoice 2026-1043",
    text: "Dear customer,\n\nyour invoice is attached. It will be charged on the 1st.\n",
    date: ago(170),
    seen: true,
    attachments: [{
      filename: "invoice-2026-1043.pdf",
      content: "%PDF-1.4\n%%EOF\n",
      contentType: "application/pdf",
    }],
  },
  {
    from: "Mira Okafor <mira@studio.example>",
    subject: "Poster for the autumn concert",
    text:
      "Here is the second draft. I moved the date to the top and made the title larger.\n\nMira\n",
    date: ago(52),
    seen: true,
    messageId: "<poster-1@studio.example>",
    attachments: [
      { filename: "poster-v2.svg", content: picture, contentType: "image/svg+xml" },
      { filename: "notes.txt", content: "A2, 90 copies, matt paper\n" },
    ],
  },
  {
    from: "Jonas Weber <jonas@concert.example>",
    subject: "Re: Poster for the autumn concert",
    text:
      "On Tuesday, Mira Okafor wrote:\n> Here is the second draft. I moved the date to the top and made the " +
      "title larger.\n\nLovely! Could the logo be a little smaller? The printer wants it by Friday:\n" +
      "https://print.example/orders/1204\n\n-- \nJonas Weber\nConcert society\n",
    date: ago(49),
    seen: true,
    messageId: "<poster-2@concert.example>",
    inReplyTo: "<poster-1@studio.example>",
  },
  {
    from: "Mira Okafor <mira@studio.example>",
    to: "mox@localhost, jonas@concert.example",
    subject: "Re: Poster for the autumn concert",
    text:
      "> Could the logo be a little smaller?\n\nDone. I will send it to them tomorrow morning, unless one of " +
      "you finds another mistake.\n\nMira\n",
    date: ago(3),
    messageId: "<poster-3@studio.example>",
    inReplyTo: "<poster-2@concert.example>",
  },
  {
    from: "Deno Land <news@deno.example>",
    subject: "What is new this month",
    text: "Faster starts, smaller executables, and a new test reporter.\n",
    html:
      `<h2 style="font-family:sans-serif">What is new this month</h2><p>Faster starts, smaller executables, ` +
      `and a new test reporter.</p><p><img src="https://news.example/header.png" width="300"></p>` +
      `<p><a href="https://deno.example/blog">Read on</a></p>`,
    date: ago(26),
    seen: true,
    headers: {
      "List-Unsubscribe": "<https://deno.example/unsubscribe>",
      "List-Id": "<news.deno.example>",
    },
  },
  {
    from: "PаyPal Service <service@paypa1.example>",
    subject: "Your аccount is limited",
    text: "Please confirm your pаssword at https://paypal.example.phish.example/login\n",
    date: ago(20),
  },
  {
    from: "Tomás Silva <tomas@bikes.example>",
    subject: "Saturday's ride",
    text: "Meeting at 8 at the bridge. 70 km, with coffee half-way.\n\nTomás\n",
    date: ago(8),
    seen: true,
  },
  {
    from: "Library <loans@library.example>",
    subject: "Due soon: The Sea Around Us",
    text: "The book is due in three days. You can extend the loan twice.\n",
    date: ago(1),
  },
  {
    from: "Ann Example <ann@example.org>",
    subject: "Lunch tomorrow?",
    text: "Half past twelve at the usual place? The soup is pumpkin again.\n\nAnn\n",
    date: ago(0.2),
  },
];

await withWorld(async (w) => {
  for (const m of mails) await w.append(m);
  for (const look of ["light", "dark", "phone"] as const) {
    const c = await w.context({ dark: look === "dark", phone: look === "phone" });
    const shot = async (p: Page, name: string) => {
      await p.screenshot({ path: `${out}/${name}-${look}.png` });
      console.log(`${name}-${look}`);
    };
    const first = await c.newPage();
    await first.goto(w.url);
    await first.getByLabel("Email address").waitFor();
    await shot(first, "login");
    await first.close();
    const page = await w.login(c);
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
