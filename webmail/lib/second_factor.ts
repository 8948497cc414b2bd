/** Turns on a second factor: the key for an app, and recovery codes to keep. @module */
import { confirmation, confirmFields } from "./confirm.ts";
import { openDialog } from "./dialog.ts";
import { el, svg } from "./dom.ts";
import { formDialog } from "./page.ts";
import { t } from "./text.ts";

/** A key that is not in use yet, and its QR code. */
export interface NewFactor {
  key: string;
  uri: string;
  size: number;
  path: string;
}

function qrCode(size: number, path: string): SVGElement {
  return svg(
    "svg",
    {
      viewBox: `-3 -3 ${size + 6} ${size + 6}`,
      class: "qr",
      role: "img",
      "aria-label": t("QR code of the key below"),
    },
    svg("path", { d: path }),
  );
}

/**
 * Asks for a code from the app, and for the password.
 * @param turnOn returns the recovery codes
 */
export function turnOnDialog(
  { key, uri, size, path }: NewFactor,
  turnOn: (r: { key: string; code: string; current: string }) => Promise<string[]>,
): void {
  formDialog(
    t("Second factor"),
    [
      {
        name: "code",
        label: t("Code that the app shows"),
        required: true,
        autocomplete: "one-time-code",
      },
      ...confirmFields(false),
    ],
    t("Turn on"),
    async ({ code, ...given }) => {
      const codes = await turnOn({ key, code, current: confirmation(given).current });
      openDialog(
        t("Recovery codes"),
        el(
          "div",
          {},
          el(
            "p",
            {},
            t(
              "Each lets you in once without the app. They are shown this once: keep them where you find " +
                "them without your device.",
            ),
          ),
          el("ul", { class: "codes" }, codes.map((c) => el("li", {}, el("code", {}, c)))),
        ),
      );
    },
    el(
      "div",
      {},
      el(
        "p",
        {},
        t(
          "Scan this with an app for one-time codes, or type the key into it. From then on you are asked for a " +
            "code after the password. Mail programs, which can't ask, need app passwords.",
        ),
      ),
      el("a", { href: uri, class: "qr-link" }, qrCode(size, path)),
      el("p", {}, t("Key: "), el("code", { class: "key" }, key.replace(/.{4}(?!$)/g, "$& "))),
    ),
  );
}
