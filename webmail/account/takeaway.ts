/** Exports and imports contacts and calendars as an archive, on the account page. @module */
import { TakeawayDone, type TakenBack } from "./transfer_api.ts";
import { uploadFile } from "../api/upload.ts";
import { button } from "../lib/button.ts";
import { el, field, fill } from "../lib/dom.ts";
import { numberText } from "../lib/format.ts";
import { part, table } from "../lib/page.ts";
import { t } from "../lib/text.ts";

/** This part of the page. */
export function takeawayPart(): HTMLElement {
  const view = el("div", { "aria-live": "polite" });
  const file = el("input", { type: "file", accept: ".zip", required: true });
  const submit = (event: Event) => {
    event.preventDefault();
    const chosen = file.files?.[0];
    if (chosen) upload(view, chosen);
  };
  return part(
    t("Contacts and calendars"),
    el(
      "p",
      { class: "muted" },
      t(
        "A zip archive with a file of each address book (vcf) and calendar (ics). One that you bring goes into those " +
          "of the same names, which are made if they aren't there. What has the same UID is replaced, nothing is " +
          "removed, and nobody is invited.",
      ),
    ),
    el(
      "form",
      { action: "export/collections", method: "get" },
      el(
        "div",
        { class: "buttons" },
        el("button", { type: "submit" }, t("Export contacts and calendars")),
      ),
    ),
    el(
      "form",
      { onsubmit: submit },
      field(t("Archive of contacts and calendars (zip)"), file),
      el(
        "div",
        { class: "buttons" },
        el("button", { type: "submit" }, t("Import contacts and calendars")),
      ),
    ),
    view,
  );
}

function upload(view: HTMLElement, file: File): void {
  const bar = el("progress", { max: 1, value: 0, "aria-label": t("Upload") });
  const cancel = uploadFile({
    url: "import/collections",
    file,
    answer: TakeawayDone,
    bar,
    onDone: (done) => show(view, done),
    onFailed: (why) =>
      fill(view, el("p", { class: "error", role: "alert" }, t("The import failed: {0}", why))),
    onCancelled: () => fill(view, el("p", {}, t("The upload was cancelled."))),
  });
  fill(view, el("p", {}, t("Importing {0} ", file.name), bar, " ", button(t("Cancel"), cancel)));
}

function show(view: HTMLElement, done: TakenBack): void {
  const kinds = { addressbook: t("Address book"), calendar: t("Calendar") };
  fill(
    view,
    table(
      [t("Kind"), t("Name"), t("Imported")],
      done.files.map((f) => [kinds[f.kind], f.name, numberText(f.imported)]),
      t("There is no calendar and no address book in it."),
    ),
    done.leftOut === 0 ? null : el(
      "details",
      {},
      el("summary", {}, t("{0} left out", numberText(done.leftOut))),
      el("ul", {}, done.left.map((line) => el("li", {}, line))),
    ),
  );
}
