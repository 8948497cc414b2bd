/** Attacking HTML in a real browser: none of it runs, none is fetched, with the answer's policy and without. */
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { sanitizeMessageHtml } from "../../src/web/webmail/html/sanitize.ts";
import { findProgram, lacks } from "../support/programs.ts";
import { attacks } from "../web/webmail/attacks.ts";
import { message, withWebmail } from "../web/webmail/server.ts";

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What a page did that it must not do. */
interface Watched {
  page: Awaited<ReturnType<Awaited<ReturnType<typeof chromium.launch>>["newPage"]>>;
  hits: string[];
  /** Name of the attack that is shown. */
  current: string;
}

async function watchedPage(
  context: Awaited<ReturnType<Awaited<ReturnType<typeof chromium.launch>>["newContext"]>>,
): Promise<Watched> {
  const w: Watched = { page: await context.newPage(), hits: [], current: "" };
  w.page.on("request", (r) => {
    if (r.url().includes("tracker.example")) w.hits.push(`${w.current}: fetches ${r.url()}`);
  });
  // Nobody waits for names that don't exist.
  await w.page.route(/tracker\.example/, (route) => route.abort());
  w.page.on("dialog", (d) => d.dismiss());
  await w.page.exposeFunction("attack", () => w.hits.push(`${w.current}: runs`));
  return w;
}

Deno.test({
  name: "no attack in HTML runs or fetches anything in Chromium, nor would without its policy",
  ignore: lacks("chromium"),
  async fn() {
    const browser = await chromium.launch({
      executablePath: findProgram("chromium"),
      args: flags,
    });
    try {
      await withWebmail(async (w) => {
        const b = await w.login();
        const context = await browser.newContext();
        const [name, value] = b.cookie.split("=");
        await context.addCookies([{ name, value, url: w.base }]);
        // As the webmail shows it.
        const framed = await watchedPage(context);
        // Made harmless, but without a policy: one wall alone must hold.
        const bare = await watchedPage(context);
        // As it was: the corpus must be able to attack at all.
        const raw = await watchedPage(context);
        for (const [attack, html] of attacks) {
          const id = await w.deliver(message({
            more: "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n" +
              "Content-Transfer-Encoding: base64",
            body: btoa(String.fromCharCode(...new TextEncoder().encode(html))),
          }));
          framed.current = bare.current = raw.current = attack;
          const r = await framed.page.goto(`${w.base}message/${id}/html?external=0`);
          assert.equal(r!.status(), 200, attack);
          const clean = sanitizeMessageHtml(html, { external: false, inline: () => undefined });
          await bare.page.setContent(clean.html, { waitUntil: "load" });
          await raw.page.setContent(html, { waitUntil: "domcontentloaded", timeout: 2000 })
            .catch(() => {});
        }
        assert.deepEqual(framed.hits, []);
        assert.deepEqual(bare.hits, []);
        assert.ok(new Set(raw.hits).size > 20, `unsanitised: ${raw.hits.length}`);
      });
    } finally {
      await browser.close();
    }
  },
});
