/** Chromium on a running localserve, for tests and screenshots. */
import assert from "node:assert/strict";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import nodemailer from "nodemailer";
import MailComposer from "nodemailer/lib/mail-composer/index.js";
import { loggedIn } from "../support/imap_client.ts";
import { type Localserve, startLocalserve } from "../support/localserve.ts";
import { findProgram } from "../support/programs.ts";

/** What Chromium is started with. */
export const browserFlags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Milliseconds for anything that is waited for. */
export const patience = 20_000;

/** A message to put into the inbox. */
export interface Mail {
  from?: string;
  to?: string;
  subject: string;
  text?: string;
  html?: string;
  date?: Date;
  headers?: Record<string, string>;
  messageId?: string;
  inReplyTo?: string;
  /** Only for append. */
  seen?: boolean;
  attachments?: {
    filename: string;
    content: string | Uint8Array;
    contentType?: string;
    cid?: string;
  }[];
}

/** How a window looks. */
export interface Look {
  dark?: boolean;
  phone?: boolean;
  width?: number;
  height?: number;
}

/** A window of its own. */
export async function newContext(b: Browser, o: Look = {}): Promise<BrowserContext> {
  const c = await b.newContext({
    viewport: o.phone
      ? { width: 390, height: 800 }
      : { width: o.width ?? 1360, height: o.height ?? 820 },
    colorScheme: o.dark ? "dark" : "light",
    locale: "en-GB",
  });
  c.setDefaultTimeout(patience);
  return c;
}

/** Throws away what is written, after the question that is asked; the window is gone then. */
export async function discardWriting(p: Page): Promise<void> {
  const writing = p.getByRole("dialog", { name: "Write a message" });
  await writing.getByRole("button", { name: "Discard" }).click();
  const question = p.locator("dialog").filter({ hasText: "What you wrote is thrown away." });
  await question.getByRole("button", { name: "Discard" }).click();
  await writing.waitFor({ state: "detached" });
}

/** Ends the dialog that is open, and waits until it is gone: keys are its own until then. */
export async function endDialog(p: Page): Promise<void> {
  await p.keyboard.press("Escape");
  await p.locator("dialog").first().waitFor({ state: "detached" });
}

export interface World {
  server: Localserve;
  browser: Browser;
  url: string;
  /** Delivers a message, as another server would. */
  deliver(m: Mail): Promise<void>;
  /** Puts messages into the inbox by IMAP, each with the date that it has. */
  append(...mails: Mail[]): Promise<void>;
  /** The stored message in the inbox that has a subject. */
  source(subject: string): Promise<string>;
  /** A browser window of its own. */
  context(o?: Look): Promise<BrowserContext>;
  /** Opens the webmail and logs in. */
  login(c: BrowserContext): Promise<Page>;
}

function addresses(m: Mail) {
  return { from: m.from ?? "Ann Example <ann@example.org>", to: m.to ?? "mox@localhost" };
}

/** Starts server and browser, runs, and ends both. */
export async function withWorld(fn: (w: World) => Promise<void>): Promise<void> {
  const executablePath = findProgram("chromium");
  const server = await startLocalserve();
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({ executablePath, args: browserFlags });
    const b = browser;
    const url = `http://localhost:${server.http}/webmail/`;
    const transport = nodemailer.createTransport({
      host: "127.0.0.1",
      port: server.smtp,
      secure: false,
      ignoreTLS: true,
    });
    await fn({
      server,
      browser: b,
      url,
      deliver: async (m) => {
        await transport.sendMail({
          ...addresses(m),
          envelope: { from: "sender@example.org", to: ["mox@localhost"] },
          ...m,
        } as never);
      },
      append: async (...mails) => {
        const client = await loggedIn(server);
        for (const m of mails) {
          const composed = await new MailComposer({ ...addresses(m), ...m } as never).compile()
            .build();
          await client.append("INBOX", composed, m.seen ? ["\\Seen"] : [], m.date);
        }
        await client.logout();
      },
      source: async (subject) => {
        const client = await loggedIn(server);
        try {
          await client.mailboxOpen("INBOX", { readOnly: true });
          const found = await client.search({ subject }, { uid: true });
          assert.equal(found && found.length, 1, `messages with the subject ${subject}`);
          const message = await client.fetchOne(`${(found as number[])[0]}`, { source: true }, {
            uid: true,
          });
          return new TextDecoder().decode((message as { source: Uint8Array }).source);
        } finally {
          await client.logout();
        }
      },
      context: (o) => newContext(b, o),
      login: async (c) => {
        const page = await c.newPage();
        await page.goto(url);
        await page.getByLabel("Email address").fill("mox@localhost");
        await page.getByLabel("Password").fill("moxmoxmox");
        await page.getByRole("button", { name: "Log in" }).click();
        await page.getByRole("listbox", { name: "Messages" }).waitFor();
        return page;
      },
    });
    transport.close();
  } finally {
    await browser?.close();
    await server.close();
  }
}
