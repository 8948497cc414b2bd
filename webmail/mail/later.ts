/**
 * Loads the script with the parts of the page that are opened with a button or a key.
 *
 * It is added to the page as text: the page's policy allows it by its hash, and no other script.
 *
 * @module
 */
import type * as Parts from "../later/main.ts";
import { attempt } from "../lib/notify.ts";
import { t } from "../lib/text.ts";

type Later = typeof Parts;

/** Where the script puts its parts, and finds the modules it shares with the page; written by the build. */
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
  // The policy doesn't allow a script of another version of the program.
  if (moxLater.parts === undefined) {
    throw new Error(
      t("The server has a newer version of this page. Load the page again to open this."),
    );
  }
  return moxLater.parts;
}

/** Loads the parts, once; again after a failure. */
export function loadLater(): Promise<Later> {
  loading ??= load().catch((e) => {
    loading = undefined;
    throw e;
  });
  return loading;
}

/** Calls `use` with the parts; errors are shown. */
export function withLater(use: (parts: Later) => unknown): void {
  attempt(async () => {
    await use(await loadLater());
  });
}
