/** Pointing at hours of a day: a click chooses a half hour, dragging from one to another. @module */
import { el, fill } from "../../lib/dom.ts";
import { timeText } from "./dates.ts";

export const dayMinutes = 24 * 60;
/** Shortest selection, in minutes. */
export const step = 30;
/** Pixels that a hand may shake while it clicks. */
const still = 6;

/** The clock at a minute of a day. */
export function clock(minute: number): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return timeText(`1970-01-01T${two(Math.floor(minute / 60) % 24)}:${two(minute % 60)}`);
}

/**
 * Listeners for the column of a day. Fingers scroll: for them there is the click alone.
 * @param choose is called with minutes of the day; without `to` after a click
 */
export function pointing(choose: (from: number, to?: number) => void) {
  /** Where the button went down, and what shows how far it was dragged. */
  let held: { y: number; minute: number; mark: HTMLElement | undefined } | undefined;
  let dragged = false;
  const minuteAt = (column: HTMLElement, y: number): number => {
    const box = column.getBoundingClientRect();
    return Math.max(0, Math.min((y - box.top) / box.height * dayMinutes, dayMinutes - 1));
  };
  const halfHour = (minute: number) => Math.floor(minute / step) * step;
  const span = (column: HTMLElement, from: number, y: number): [number, number] => {
    const at = halfHour(minuteAt(column, y));
    return [Math.min(from, at), Math.max(from, at) + step];
  };
  const end = () => {
    held?.mark?.remove();
    held = undefined;
  };
  return {
    onpointerdown: (event: PointerEvent) => {
      dragged = false;
      if (
        event.target !== event.currentTarget || event.button !== 0 || event.pointerType === "touch"
      ) return;
      const column = event.currentTarget as HTMLElement;
      held = {
        y: event.clientY,
        minute: halfHour(minuteAt(column, event.clientY)),
        mark: undefined,
      };
      column.setPointerCapture(event.pointerId);
    },
    onpointermove: (event: PointerEvent) => {
      if (held === undefined) return;
      if (held.mark === undefined && Math.abs(event.clientY - held.y) < still) return;
      const column = event.currentTarget as HTMLElement;
      const [from, to] = span(column, held.minute, event.clientY);
      if (held.mark === undefined) {
        held.mark = el("div", { class: "dragged" });
        column.append(held.mark);
      }
      held.mark.style.top = `${from / dayMinutes * 100}%`;
      held.mark.style.height = `${(to - from) / dayMinutes * 100}%`;
      fill(held.mark, `${clock(from)} – ${clock(to)}`);
    },
    onpointerup: (event: PointerEvent) => {
      if (held?.mark === undefined) return end();
      const [from, to] = span(event.currentTarget as HTMLElement, held.minute, event.clientY);
      end();
      // A click follows, which is none.
      dragged = true;
      choose(from, to);
    },
    onpointercancel: end,
    onclick: (event: MouseEvent) => {
      if (event.target !== event.currentTarget || dragged) return;
      choose(halfHour(minuteAt(event.currentTarget as HTMLElement, event.clientY)));
    },
  };
}
