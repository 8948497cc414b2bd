/** The section on encrypting what arrives to a key of one's own. @module */
import { makeCall } from "../api/client.ts";
import { button } from "../lib/button.ts";
import { confirmDialog } from "../lib/dialog.ts";
import { el } from "../lib/dom.ts";
import { longDate } from "../lib/format.ts";
import type { Section } from "../lib/frame.ts";
import { attempt, notice } from "../lib/notify.ts";
import { facts, formDialog, part } from "../lib/page.ts";
import { accountCalls } from "./api.ts";

export function encryptionSection(changed: () => Promise<void>): Section {
  return { id: "encryption", title: "Encryption", show: () => show(changed) };
}

function setKey(changed: () => Promise<void>): void {
  formDialog(
    "Encrypt what arrives",
    [{
      name: "key",
      label: "Public key or certificate",
      type: "textarea",
      value: "",
      required: true,
      explanation:
        "An OpenPGP public key (BEGIN PGP PUBLIC KEY BLOCK), or a certificate with an RSA or EC key for S/MIME (BEGIN " +
        "CERTIFICATE). Never a secret key.",
    }],
    "Encrypt",
    async ({ key }) => {
      await makeCall(accountCalls, "EncryptionSet", { key });
      notice("What arrives from now on is encrypted.");
      await changed();
    },
  );
}

async function show(changed: () => Promise<void>): Promise<HTMLElement[]> {
  const { key } = await makeCall(accountCalls, "Encryption", {});
  const stop = () =>
    attempt(async () => {
      const sure = await confirmDialog(
        "Encryption",
        "Store what arrives as it comes? What is encrypted already stays so.",
        "Stop encrypting",
      );
      if (!sure) return;
      await makeCall(accountCalls, "EncryptionSet", { key: null });
      await changed();
    });
  return [
    part(
      "Encrypt what arrives",
      el(
        "p",
        { class: "muted" },
        "Messages are encrypted to your key before they are stored. Only who has the secret key reads them then: " +
          "not the server's administrator, not who gets hold of a backup, and not who knows your password.",
      ),
      facts(
        key === null ? [["Now", "stored as it comes"]] : [
          ["Now", key.kind === "pgp" ? "encrypted with OpenPGP" : "encrypted with S/MIME"],
          ["Key of", key.name],
          ["Fingerprint", key.fingerprint],
          ["Good until", key.expires === null ? "no end" : longDate(key.expires)],
          ["Since", longDate(key.set)],
        ],
      ),
      el(
        "div",
        { class: "tools" },
        button(key === null ? "Set a key" : "Change the key", () => setKey(changed)),
        key === null ? null : button("Stop encrypting", stop),
      ),
    ),
    part(
      "What you lose",
      el(
        "ul",
        {},
        ...[
          "This webmail can't show such messages: read them with a program that has your secret key.",
          "Searching finds sender, recipients, subject and other header fields, and nothing of the text or attachments.",
          "Subject, sender, recipients and times are not encrypted.",
          "Without the secret key the messages are lost. Nobody can help then.",
          "Previews, invitations in messages, and learning from the text of what you mark as junk don't work for them. " +
          "Judging junk, rules, Sieve scripts, replies and forwarding do, as they come before; what is forwarded is not " +
          "encrypted.",
          "The server sees each message when it arrives: this protects what is stored, not the way here.",
          "What you send, save as a draft or import is stored as it is, and so is what was there before.",
        ].map((t) => el("li", {}, t)),
      ),
    ),
  ];
}
