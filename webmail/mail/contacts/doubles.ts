/** Merging people who are in the address books several times. @module */
import { call } from "../../api/client.ts";
import type { ContactRow } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { errorText } from "../../lib/notify.ts";
import { safeText } from "../../lib/scripts.ts";
import { t } from "../../lib/text.ts";
import { contactTitle } from "./words.ts";

/** Shows sets of duplicates. `merged` is called when a set was merged. */
export async function openDoubles(merged: () => void): Promise<void> {
  const { sets, more } = await call("ContactDoubles", {});
  const problem = el("div", { role: "alert" });
  const said = el("p", { role: "status", class: "hint" });
  const list = el("ul", { class: "contact-doubles" });
  const none = () =>
    list.childElementCount === 0 ? fill(said, t("No contact is there twice.")) : undefined;
  const one = (set: readonly ContactRow[]) => {
    const item = el(
      "li",
      {},
      el(
        "ul",
        {},
        set.map((c) =>
          el("li", { dir: "auto" }, safeText([contactTitle(c), ...c.emails].join(", ")))
        ),
      ),
      button(t("Make one of these"), async () => {
        fill(problem);
        try {
          await call("ContactMerge", { ids: set.map((c) => c.id) });
          const next = (item.nextElementSibling ?? item.previousElementSibling)
            ?.querySelector("button");
          item.remove();
          fill(said, t("Merged: {0}", contactTitle(set[0])));
          none();
          (next ?? close).focus();
          merged();
        } catch (e) {
          fill(problem, el("p", { class: "error" }, errorText(e)));
        }
      }),
    );
    return item;
  };
  fill(list, sets.map(one));
  none();
  const close = button(t("Close"), () => dialog.close());
  const dialog = openDialog(
    t("Contacts that are there twice"),
    el(
      "div",
      {},
      el(
        "p",
        { class: "hint" },
        t("They share an address or a name. The first one stays, with all that the others say."),
      ),
      problem,
      list,
      said,
      more ? el("p", { class: "hint" }, t("There are more of them.")) : null,
      el("div", { class: "buttons" }, close),
    ),
  );
}
