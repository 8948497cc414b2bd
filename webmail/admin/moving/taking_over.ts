/** Previews and imports: two buttons, and a view of the result. @module */
import { button } from "../../lib/button.ts";
import { el, fill } from "../../lib/dom.ts";
import { errorText } from "../../lib/notify.ts";

/**
 * The buttons, and the view of the result.
 * @param run returns what is shown; an error that it throws is shown instead
 */
export function takingOver(
  run: (dryRun: boolean) => Promise<Node[]>,
): { buttons: HTMLElement; view: HTMLElement } {
  const view = el("div", { class: "stacked", "aria-live": "polite" });
  const start = async (dryRun: boolean) => {
    buttons.forEach((b) => b.disabled = true);
    fill(view, el("p", { class: "muted" }, dryRun ? "Looking …" : "Taking over …"));
    try {
      fill(view, await run(dryRun));
    } catch (e) {
      fill(view, el("p", { class: "error", role: "alert" }, errorText(e)));
    } finally {
      buttons.forEach((b) => b.disabled = false);
    }
  };
  const buttons = [
    button("Look what it would do", () => start(true)),
    button("Take over", () => start(false), { primary: true }),
  ];
  return { buttons: el("div", { class: "buttons" }, buttons), view };
}
