/**
 * The pages as they are built by `deno task pages` from the sources in webmail/, packed into the program.
 *
 * Called by serve/, which gives them to those who serve them.
 *
 * @module
 */
import account from "./account.html" with { type: "text" };
import admin from "./admin.html" with { type: "text" };
import caught from "./caught.html" with { type: "text" };
import { catalogues } from "./catalogues.ts";
import editor from "./editor.html" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };
import later from "./webmail_later.html" with { type: "text" };
import manifest from "./manifest.webmanifest" with { type: "text" };
import worker from "./service_worker.html" with { type: "text" };
import sharedEvents from "./shared_events.html" with { type: "text" };
import webmail from "./webmail.html" with { type: "text" };

/** The webmail, one document with style and script in it. */
export const webmailPage: string = webmail;
/** Parts of the webmail that are loaded when they are opened: a script that its page allows. */
export const webmailLater: string = later;
/** The editor for rich text, for a frame in it. */
export const editorPage: string = editor;
/** The pages' texts in other languages, served next to the webmail and the account page. */
export const languageFiles: Readonly<Record<string, { text: string; type: string }>> = Object
  .fromEntries(
    Object.entries(catalogues).map(([name, text]) => [
      `/language/${name}.json`,
      { text, type: "application/json" },
    ]),
  );
/** Files next to the webmail, which make it an app of the browser. */
export const appFiles: Readonly<Record<string, { text: string; type: string }>> = {
  "/later.js": { text: webmailLater, type: "text/javascript" },
  "/service_worker.js": { text: worker, type: "text/javascript" },
  "/shared_events.js": { text: sharedEvents, type: "text/javascript" },
  "/manifest.webmanifest": { text: manifest, type: "application/manifest+json" },
  ...languageFiles,
  "/icon.svg": { text: icon, type: "image/svg+xml" },
};
/** The page for developers, with the mail that localserve caught. */
export const caughtPage: string = caught;
/** The account page. */
export const accountPageHtml: string = account;
/** The admin page. */
export const adminPageHtml: string = admin;
