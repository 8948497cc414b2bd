/**
 * Loads the script with the parts of the page that are opened by a button or a key.
 *
 * It is put into the page as text: the page's policy knows its hash, so that it allows this script and no other.
 *
 * @module
 */
import type * as Parts from "../later/main.ts";
import { attempt } from "../lib/notify.ts";
import { t } from "../lib/text.ts";

type Later = typeof Parts;

/** Where the script leaves its parts, and finds what it shares with the page; written by the build. */
declare const moxLater: { parts?: Later };

let loading: Promise<Later> | undefined;

async function load(): Promise<Later> {
  const answer = await fetch("later.js", { cache: "no-cache" }).catch(() => undefined);
  if (answer?.ok !== true) {
    throw new Error(
      t("This part of the page couldn't be loaded. Check the connection, and try again."),
    );
  }
  document.head.append(
    Object.assign(document.createElement("script"), { textContent: await answer.text() }),
  );
  // A script of another version of the program isn't the one that this page's policy allows.
  if (moxLater.parts === undefined) {
    throw new Error(
      t("The server has a newer version of this page. Load the page again to open this."),
    );
  }
  return moxLater.parts;
}

/** Loads the parts, once; after a failure anew. */
export function loadLater(): Promise<Later> {
  loading ??= load().catch((e) => {
    loading = undefined;
    throw e;
  });
  return loading;
}

/** Runs `use` with the parts, and shows what fails. */
export function withLater(use: (parts: Later) => unknown): void {
  attempt(async () => {
    await use(await loadLater());
  });
}
