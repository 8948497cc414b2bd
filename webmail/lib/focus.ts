/**
 * Keeps the focus where someone works when the page is redrawn: on the nearest element that looks the same, or else
 * on what has taken its place.
 *
 * @module
 */

function focusable(within: Element): HTMLElement[] {
  return [...within.querySelectorAll<HTMLElement>(
    "a[href], button, input, select, textarea, summary, [tabindex='0']",
  )];
}

const nameOf = (e: Element) => `${e.tagName} ${e.getAttribute("aria-label") ?? e.textContent}`;

/**
 * Remembers where an element is within the page's content or a dialog.
 * @returns a function that restores the focus; undefined if the element is in neither
 */
export function rememberFocus(element: Element | null): (() => void) | undefined {
  const main = element?.closest("main, dialog");
  if (!(main instanceof HTMLElement) || element === main || !(element instanceof HTMLElement)) {
    return undefined;
  }
  const at = focusable(main).indexOf(element);
  const name = nameOf(element);
  return () => {
    if (element.isConnected) return element.focus({ preventScroll: true });
    const now = focusable(main);
    const alike = now.map((x, i) => ({ x, far: Math.abs(i - at) }))
      .filter(({ x }) => nameOf(x) === name)
      .sort((a, b) => a.far - b.far)[0]?.x;
    (alike ?? now[at] ?? main).focus({ preventScroll: true });
  };
}
