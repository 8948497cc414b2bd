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

function listed(message: ParsedMessage): Attachment[] {
  return message.attachments.filter((a) => !a.inline);
}

/** Name to show. */
function nameOf(attachment: Attachment): string {
  return attachment.filename === "" ? t("unnamed ({0})", attachment.type) : attachment.filename;
}

/** The attachments under a message's header; null if there are none. */
export function attachmentList(message: ParsedMessage): HTMLElement | null {
  const list = listed(message);
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
            onclick: () => openAttachments(message, i),
          },
          thumbnail(message, a),
          safeText(nameOf(a)),
          el("span", { class: "size" }, ` ${sizeText(a.size)}`),
        ),
        el(
          "a",
          {
            href: partUrl(message.item.id, a.path, { download: true }),
            download: a.filename || "attachment",
            "aria-label": t("Save {0}", nameOf(a)),
            title: t("Save"),
          },
          t("Save"),
        ),
      )
    ),
    list.length > 1
      ? el(
        "a",
        { href: attachmentsZipUrl(message.item.id), download: "attachments.zip" },
        t("Save all"),
      )
      : null,
  );
}

/** Bytes of a picture that is shown as a thumbnail. */
const maxThumbnail = 5_000_000;

/** A thumbnail. */
function thumbnail(message: ParsedMessage, attachment: Attachment): HTMLElement | null {
  if (
    !/^image\/(?:avif|gif|jpeg|png|webp)$/.test(attachment.type) || attachment.size > maxThumbnail
  ) return null;
  return el("img", {
    class: "thumbnail",
    src: partUrl(message.item.id, attachment.path),
    alt: "",
    loading: "lazy",
    width: 40,
    height: 40,
  });
}

/** Shows an attachment over the page; arrows go to the next and previous one. */
export function openAttachments(message: ParsedMessage, first: number): void {
  const list = message.attachments.length > 0 && listed(message).length === 0
    ? message.attachments
    : listed(message);
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
      el("bdi", {}, safeText(nameOf(a))),
      ", ",
      el("bdi", {}, sizeText(a.size)),
    );
    const url = partUrl(message.item.id, a.path);
    const save = el(
      "a",
      {
        href: partUrl(message.item.id, a.path, { download: true }),
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
      onkeydown: (event: KeyboardEvent) => {
        if (event.key === "ArrowRight") step(1);
        else if (event.key === "ArrowLeft") step(-1);
        else return;
        event.preventDefault();
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

function viewer(attachment: Attachment, url: string): HTMLElement {
  if (/^image\/(?:avif|bmp|gif|jpeg|png|webp|x-icon|vnd\.microsoft\.icon)$/.test(attachment.type)) {
    return el("img", { src: url, alt: nameOf(attachment) });
  }
  if (attachment.type.startsWith("video/")) return el("video", { src: url, controls: true });
  if (attachment.type.startsWith("audio/")) return el("audio", { src: url, controls: true });
  if (attachment.type === "application/pdf") {
    return el("iframe", { src: url, title: nameOf(attachment) });
  }
  if (
    attachment.type.startsWith("text/") || attachment.type === "application/json" ||
    attachment.type === "message/rfc822"
  ) {
    // The server shows these as plain text.
    return el("iframe", { src: url, title: nameOf(attachment), sandbox: "" });
  }
  return el(
    "p",
    { class: "empty" },
    t("Files of the kind {0} can be saved, not shown here.", attachment.type),
  );
}

/** A dialog that names all parts of a message. */
export function showParts(message: ParsedMessage): void {
  openDialog(
    t("Parts"),
    message.attachments.length + message.texts.length === 0
      ? el("p", {}, t("This message has no parts."))
      : el(
        "ul",
        { class: "parts" },
        message.texts.map((t) =>
          el("li", {}, `${t.path || "1"}: text/plain, ${countText(t.text.length, "character")}`)
        ),
        message.attachments.map((a) =>
          el(
            "li",
            {},
            `${a.path}: ${a.type}, ${a.filename || t("no name")}${a.inline ? t(", inline") : ""}`,
          )
        ),
      ),
  );
}
