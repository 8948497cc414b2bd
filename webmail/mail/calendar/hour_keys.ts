/** Choosing hours of a day by keys: up and down, with Shift from one to another; left and right to other days. @module */
import { el, fill } from "../../lib/dom.ts";
import { t } from "../../lib/text.ts";
import type { Day } from "./dates.ts";
import { clock, dayMinutes, step } from "./pointing.ts";

/**
 * Listeners for the columns of days; what is chosen is shown with the first key.
 * @param choose gets a day and minutes of it
 * @param announce tells the selection to people who can't see it
 */
export function hourKeys(
  choose: (day: Day, from: number, to: number) => void,
  announce: (text: string) => void,
) {
  const mark = el("div", { class: "dragged" });
  /** Minutes: where the choice began, and the half hour that moves. */
  let anchor = 9 * 60;
  let at = anchor;
  const range = () => [Math.min(anchor, at), Math.max(anchor, at) + step] as const;
  const show = (column: HTMLElement) => {
    const [from, to] = range();
    mark.style.top = `${from / dayMinutes * 100}%`;
    mark.style.height = `${(to - from) / dayMinutes * 100}%`;
    const text = `${clock(from)} – ${clock(to)}`;
    fill(mark, text);
    column.append(mark);
    mark.scrollIntoView({ block: "nearest" });
    announce(text);
  };
  const move = (column: HTMLElement, to: number, extend: boolean) => {
    if (!mark.isConnected) return show(column);
    at = Math.max(0, Math.min(to, dayMinutes - step));
    if (!extend) anchor = at;
    show(column);
  };
  const beside = (column: HTMLElement, n: number): HTMLElement | undefined => {
    const days = [...column.parentElement!.querySelectorAll<HTMLElement>(":scope > .day-hours")];
    return days[days.indexOf(column) + n];
  };
  return {
    tabindex: 0,
    "aria-description": t("Arrow keys choose hours, Enter makes an event"),
    onblur: () => mark.remove(),
    onkeydown: (event: KeyboardEvent) => {
      if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) {
        return;
      }
      const column = event.currentTarget as HTMLElement;
      const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
      const rtl = sideways && getComputedStyle(column).direction === "rtl";
      const run: (() => void) | undefined = event.key === "ArrowDown"
        ? () => move(column, at + step, event.shiftKey)
        : event.key === "ArrowUp"
        ? () => move(column, at - step, event.shiftKey)
        : event.key === "Home"
        ? () => move(column, 0, event.shiftKey)
        : event.key === "End"
        ? () => move(column, dayMinutes, event.shiftKey)
        : sideways
        ? () => {
          const other = beside(column, (event.key === "ArrowRight") === rtl ? -1 : 1);
          if (other === undefined) return;
          other.focus();
          show(other);
        }
        : event.key === "Enter" || event.key === " "
        ? () => mark.isConnected ? choose(column.dataset.day!, ...range()) : show(column)
        : undefined;
      if (run === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      run();
    },
  };
}
