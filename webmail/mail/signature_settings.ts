/** Signatures in the settings: a general one and those of single addresses, as plain or rich text. @module */
import type { Settings } from "../api/mod.ts";
import { button } from "../lib/button.ts";
import { el, field, fill } from "../lib/dom.ts";
import { alertUser } from "../lib/notify.ts";
import { richBody } from "./compose/rich_body.ts";
import { textHtml } from "./compose/text_html.ts";
import { t } from "../lib/text.ts";

/** A signature: its text, and its HTML if it is rich text. */
interface Signature {
  text: string;
  html: string | null;
}

type Signatures = Pick<Settings, "signature" | "signatures" | "signaturesHtml">;

/** Key of the general signature among those in HTML. */
const general = "";

interface SignatureField {
  root: HTMLElement;
  read(): Signature;
  show(signature: Signature): void;
}

/** A field for a signature. `label` names its text. */
function signatureField(label: string, placeholder = ""): SignatureField {
  let text: HTMLTextAreaElement | undefined;
  let rich: ReturnType<typeof richBody> | undefined;
  const place = el("div", { class: "signature-text" });
  const toggle = button("", () => {
    const now = read();
    show(rich === undefined ? { ...now, html: textHtml(now.text) } : { ...now, html: null });
    (text ?? rich)!.focus();
  }, { attributes: { class: "quiet" }, title: t("With formats and links, or text alone") });

  function show(signature: Signature): void {
    text = rich = undefined;
    if (signature.html === null) {
      text = el("textarea", { rows: 4, dir: "auto", "aria-label": label, placeholder });
      text.value = signature.text;
      fill(place, text);
    } else {
      rich = richBody(signature, {
        label,
        changed: () => {},
        pictures: () => new Map(),
        addPicture: null,
        addFiles: () => alertUser(t("A signature has no files.")),
      });
      fill(place, rich.root);
    }
    fill(toggle, signature.html === null ? t("Rich text") : t("Plain text"));
  }

  function read(): Signature {
    if (rich === undefined) return { text: text?.value ?? "", html: null };
    const now = rich.read();
    const plain = now.text.trim();
    // An emptied one is removed.
    return plain === "" ? { text: "", html: null } : { text: plain, html: now.html };
  }

  const root = el("div", { class: "signature-editor" }, place, toggle);
  return { root, read, show };
}

export interface SignatureSettings {
  rows: HTMLElement[];
  read(): Signatures;
}

/** @param addresses to send from */
export function signatureSettings(
  now: Settings,
  addresses: readonly string[],
): SignatureSettings {
  const html = new Map(Object.entries(now.signaturesHtml));
  const all = signatureField(t("Signature"));
  all.show({ text: now.signature, html: html.get(general) ?? null });
  const allRow = el(
    "div",
    { class: "field" },
    el("span", { class: "field-label", "aria-hidden": "true" }, t("Signature")),
    all.root,
  );
  const own = new Map<string, Signature>(
    Object.entries(now.signatures).map(([a, text]) => [a, { text, html: html.get(a) ?? null }]),
  );
  const other = signatureField(t("Signature of this address"), t("As above"));
  let shown = (addresses[0] ?? "").toLowerCase();
  const take = () => {
    const s = other.read();
    if (s.text === "") own.delete(shown);
    else own.set(shown, s);
  };
  const which = el(
    "select",
    {
      onchange: () => {
        take();
        shown = which.value;
        other.show(own.get(shown) ?? { text: "", html: null });
      },
    },
    addresses.map((a) => el("option", { value: a.toLowerCase() }, a)),
  );
  other.show(own.get(shown) ?? { text: "", html: null });
  const otherRow = field(t("Another signature for"), which);
  otherRow.append(other.root);
  return {
    rows: addresses.length < 2 ? [allRow] : [allRow, otherRow],
    read: () => {
      if (addresses.length >= 2) take();
      const first = all.read();
      const formatted: [string, string | null][] = [
        [general, first.html],
        ...[...own].map(([a, s]): [string, string | null] => [a, s.html]),
      ];
      return {
        signature: first.text,
        signatures: Object.fromEntries([...own].map(([a, s]) => [a, s.text])),
        signaturesHtml: Object.fromEntries(
          formatted.filter((f): f is [string, string] => f[1] !== null),
        ),
      };
    },
  };
}
