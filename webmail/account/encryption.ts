/** The section for encrypting incoming mail to the user's own key. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { confirmDialog } from "../lib/dialog.ts";
import { el } from "../lib/dom.ts";
import { longDate } from "../lib/format.ts";
import type { Section } from "../lib/frame.ts";
import { attempt, notice } from "../lib/notify.ts";
import { facts, formDialog, part } from "../lib/page.ts";
import { accountCalls } from "./api.ts";
import { t } from "../lib/text.ts";

export function encryptionSection(changed: () => Promise<void>): Section {
  return { id: "encryption", title: t("Encryption"), show: () => show(changed) };
}

function setKey(changed: () => Promise<void>): void {
  formDialog(
    t("Encrypt what arrives"),
    [{
      name: "key",
      label: t("Public key or certificate"),
      type: "textarea",
      value: "",
      required: true,
      explanation: t(
        "An OpenPGP public key (BEGIN PGP PUBLIC KEY BLOCK), or a certificate with an RSA or EC key for S/MIME (BEGIN " +
          "CERTIFICATE). Never a secret key.",
      ),
    }],
    t("Encrypt"),
    async ({ key }) => {
      await makeCall(accountCalls, "EncryptionSet", { key });
      notice(t("What arrives from now on is encrypted."));
      await changed();
    },
  );
}

async function show(changed: () => Promise<void>): Promise<HTMLElement[]> {
  const { key } = await makeCall(accountCalls, "Encryption", {});
  const stop = () =>
    attempt(async () => {
      const sure = await confirmDialog(
        t("Encryption"),
        t("Store what arrives as it comes? What is encrypted already stays so."),
        t("Stop encrypting"),
      );
      if (!sure) return;
      await makeCall(accountCalls, "EncryptionSet", { key: null });
      await changed();
    });
  return [
    part(
      t("Encrypt what arrives"),
      el(
        "p",
        { class: "muted" },
        t(
          "Messages are encrypted to your key before they are stored. Only who has the secret key reads them then: " +
            "not the server's administrator, not who gets hold of a backup, and not who knows your password.",
        ),
      ),
      facts(
        key === null ? [[t("Now"), t("stored as it comes")]] : [
          [t("Now"), key.kind === "pgp" ? t("encrypted with OpenPGP") : t("encrypted with S/MIME")],
          [t("Key of"), key.name],
          [t("Fingerprint"), key.fingerprint],
          [t("Good until"), key.expires === null ? t("no end") : longDate(key.expires)],
          [t("Since"), longDate(key.set)],
        ],
      ),
      el(
        "div",
        { class: "tools" },
        button(key === null ? t("Set a key") : t("Change the key"), () => setKey(changed)),
        key === null ? null : button(t("Stop encrypting"), stop),
      ),
    ),
    part(
      t("What you lose"),
      el(
        "ul",
        {},
        ...[
          t("This webmail can't show such messages: read them with a program that has your secret key."),
          t("Searching finds sender, recipients, subject and other header fields, and nothing of the text or attachments."),
          t("Subject, sender, recipients and times are not encrypted."),
          t("Without the secret key the messages are lost. Nobody can help then."),
          t(
            "Previews, invitations in messages, and learning from the text of what you mark as junk don't work for them. " +
              "Judging junk, rules, Sieve scripts, replies and forwarding do, as they come before; what is forwarded is not " +
              "encrypted.",
          ),
          t("The server sees each message when it arrives: this protects what is stored, not the way here."),
          t("What you send, save as a draft or import is stored as it is, and so is what was there before."),
        ].map((text) => el("li", {}, text)),
      ),
    ),
  ];
}
