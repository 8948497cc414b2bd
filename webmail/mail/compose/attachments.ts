/**
 * Attachments of a message: their list, and a viewer for those that can be shown.
 *
 * @module
 */
import { type Attachment, attachmentsZipUrl, type ParsedMessage, partUrl } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { countText, sizeText } from "../../lib/format.ts";
import { safeText } from "../../lib/scripts.ts";
import { t } from "../../lib/text.ts";

function listed(m: ParsedMessage): Attachment[] {
  return m.attachments.filter((a) => !a.inline);
}

/** Name to show. */
function nameOf(a: Attachment): string {
  return a.filename === "" ? t("unnamed ({0})", a.type) : a.filename;
}

/** The attachments under a message's header; null if there are none. */
export function attachmentList(m: ParsedMessage): HTMLElement | null {
  const list = listed(m);
  if (list.length === 0) return null;
  return el(
    "div",
    { class: "attachments" },
    list.map((a, i) =>
      el(
        "span",
        { class: "attachment" },
        el(
          "button",
          {
            type: "button",
            title: t("View {0}, {1}. Key: i", nameOf(a), a.type),
            onclick: () => openAttachments(m, i),
          },
          thumbnail(m, a),
          safeText(nameOf(a)),
          el("span", { class: "size" }, ` ${sizeText(a.size)}`),
        ),
        el(
          "a",
          {
            href: partUrl(m.item.id, a.path, { download: true }),
            download: a.filename || "attachment",
            "aria-label": t("Save {0}", nameOf(a)),
            title: t("Save"),
          },
          t("Save"),
        ),
      )
    ),
    list.length > 1
      ? el("a", { href: attachmentsZipUrl(m.item.id), download: "attachments.zip" }, t("Save all"))
      : null,
  );
}

/** Bytes of a picture that is shown small. */
const maxThumbnail = 5_000_000;

/** A picture in small. */
function thumbnail(m: ParsedMessage, a: Attachment): HTMLElement | null {
  if (!/^image\/(?:avif|gif|jpeg|png|webp)$/.test(a.type) || a.size > maxThumbnail) return null;
  return el("img", {
    class: "thumbnail",
    src: partUrl(m.item.id, a.path),
    alt: "",
    loading: "lazy",
    width: 40,
    height: 40,
  });
}

/** Shows an attachment over the page; arrows go to the next and previous one. */
export function openAttachments(m: ParsedMessage, first: number): void {
  const list = m.attachments.length > 0 && listed(m).length === 0 ? m.attachments : listed(m);
  if (list.length === 0) return;
  let at = first;
  const place = el("div", { class: "attachment-place" });
  const title = el("div", { class: "attachment-title", role: "status" });
  const step = (n: number) => {
    at = (at + n + list.length) % list.length;
    draw();
  };
  const draw = () => {
    const a = list[at];
    fill(
      title,
      t("{0} of {1}: ", at + 1, list.length),
      safeText(nameOf(a)),
      `, ${sizeText(a.size)}`,
    );
    const url = partUrl(m.item.id, a.path);
    const save = el(
      "a",
      {
        href: partUrl(m.item.id, a.path, { download: true }),
        download: a.filename || "attachment",
      },
      t("Save"),
    );
    fill(place, viewer(a, url), el("p", {}, save));
  };
  draw();
  const content = el(
    "div",
    {
      class: "attachment-viewer",
      onkeydown: (e: KeyboardEvent) => {
        if (e.key === "ArrowRight") step(1);
        else if (e.key === "ArrowLeft") step(-1);
        else return;
        e.preventDefault();
      },
    },
    el(
      "div",
      { class: "message-tools" },
      list.length > 1 ? button(t("Previous"), () => step(-1), { key: "ArrowLeft" }) : null,
      list.length > 1 ? button(t("Next"), () => step(1), { key: "ArrowRight" }) : null,
      title,
    ),
    place,
  );
  openDialog(t("Attachments"), content, { wide: true });
}

function viewer(a: Attachment, url: string): HTMLElement {
  if (/^image\/(?:avif|bmp|gif|jpeg|png|webp|x-icon|vnd\.microsoft\.icon)$/.test(a.type)) {
    return el("img", { src: url, alt: nameOf(a) });
  }
  if (a.type.startsWith("video/")) return el("video", { src: url, controls: true });
  if (a.type.startsWith("audio/")) return el("audio", { src: url, controls: true });
  if (a.type === "application/pdf") {
    return el("iframe", { src: url, title: nameOf(a) });
  }
  if (a.type.startsWith("text/") || a.type === "application/json" || a.type === "message/rfc822") {
    // The server shows these as plain text.
    return el("iframe", { src: url, title: nameOf(a), sandbox: "" });
  }
  return el(
    "p",
    { class: "empty" },
    t("Files of the kind {0} can be saved, not shown here.", a.type),
  );
}

/** A dialog that names all parts of a message. */
export function showParts(m: ParsedMessage): void {
  openDialog(
    t("Parts"),
    m.attachments.length + m.texts.length === 0 ? el("p", {}, t("This message has no parts.")) : el(
      "ul",
      { class: "parts" },
      m.texts.map((t) =>
        el("li", {}, `${t.path || "1"}: text/plain, ${countText(t.text.length, "character")}`)
      ),
      m.attachments.map((a) =>
        el(
          "li",
          {},
          `${a.path}: ${a.type}, ${a.filename || t("no name")}${a.inline ? t(", inline") : ""}`,
        )
      ),
    ),
  );
}
