/** Makes the pictures of the documentation: docs/webmail.png and docs/admin.png. */
import { ImapFlow } from "imapflow";
import { chromium } from "playwright-core";
import { browserFlags, type Mail, newContext, withWorld } from "../tests/browser/browser.ts";
import { adminPassword, withAdminSite } from "../tests/serve/admin_site.ts";
import { findProgram } from "../tests/support/programs.ts";
import { ago, mails } from "./screenshot_mail.ts";

const size = { width: 1280, height: 800 };

/** Further ones, so that the list is full. */
const more: Mail[] = [
  [
    "Fatima Haddad <fatima@garden.example>",
    "Seedlings for the spring",
    31,
    "I have too many tomatoes.",
  ],
  [
    "Train Tickets <orders@rail.example>",
    "Your booking to Lisbon",
    74,
    "Coach 12, seats 41 and 42.",
  ],
  [
    "Ben Okafor <ben@studio.example>",
    "Paint for the stage",
    98,
    "Two litres of white, one of blue.",
  ],
  [
    "Dr. Lindqvist <desk@practice.example>",
    "Your appointment on 3 December",
    121,
    "At 9:40, first floor.",
  ],
  [
    "Rowing club <board@rowing.example>",
    "Minutes of the meeting",
    150,
    "See the three points below.",
  ],
  ["Aiko Tanaka <aiko@letters.example>", "写真 of the lake", 190, "Here are those from Sunday."],
].map(([from, subject, hours, text]) => ({
  from: from as string,
  subject: subject as string,
  text: text as string,
  date: ago(hours as number),
  seen: true,
}));

const poster =
  `<svg xmlns="http://www.w3.org/2000/svg" width="420" height="300" viewBox="0 0 420 300">` +
  `<rect width="420" height="300" fill="#f4ead6"/><circle cx="300" cy="110" r="70" fill="#d9690f"/>` +
  `<path d="M0 230q105-60 210 0t210 0v70H0z" fill="#236b91"/>` +
  `<text x="28" y="78" font-family="serif" font-size="44" fill="#1d2126">Autumn</text>` +
  `<text x="28" y="124" font-family="serif" font-size="44" fill="#1d2126">Concert</text></svg>`;

await withWorld(async (world) => {
  const client = new ImapFlow({
    host: "127.0.0.1",
    port: world.server.imap,
    secure: false,
    auth: { user: "mox@localhost", pass: "moxmoxmox" },
    logger: false,
    doSTARTTLS: false,
  });
  await client.connect();
  for (const name of ["Concert", "Concert/Posters", "Family", "Lists", "Receipts"]) {
    await client.mailboxCreate(name);
  }
  await client.logout();
  const last = mails.find((m) => m.messageId === "<poster-3@studio.example>")!;
  const all = mails.filter((m) => m !== last).concat(more, {
    ...last,
    text:
      `Hi both,\n\n> Could the logo be a little smaller?\n\nDone, and the title is set in the new type. ` +
      `It goes to the printer tomorrow\nmorning, unless one of you finds another mistake:\n` +
      `https://print.example/orders/1204\n\nMira\n`,
    attachments: [
      { filename: "poster-v3.svg", content: poster, contentType: "image/svg+xml" },
      { filename: "quote.pdf", content: "%PDF-1.4\n%%EOF\n", contentType: "application/pdf" },
    ],
  });
  for (const m of all) await world.append(m);
  const c = await newContext(world.browser, size);
  const page = await world.login(c);
  await page.getByRole("option", { name: /Mira Okafor.* Re: Poster/ }).first().click();
  await page.locator(".text-body").getByText("in the new type").waitFor();
  await page.locator('.message[aria-selected="true"]:not(.unread)').waitFor({ state: "attached" });
  await page.screenshot({ path: "docs/webmail.png" });
  await c.close();
});

const browser = await chromium.launch({
  executablePath: findProgram("chromium"),
  args: browserFlags,
});
try {
  await withAdminSite(async (site) => {
    const c = await newContext(browser, size);
    const page = await c.newPage();
    await page.goto(`${site.origin}/admin/`);
    await page.getByLabel("Password").fill(adminPassword);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("link", { name: "DMARC", exact: true }).click();
    await page.locator('main[data-section="dmarc"]').waitFor();
    await page.screenshot({ path: "docs/admin.png" });
    await c.close();
  });
} finally {
  await browser.close();
}
