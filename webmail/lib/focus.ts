/**
 * Keeping the focus where someone works when what they see is made anew: it goes to what looks the same,
 * nearest to where it was, or else to what stands in its place.
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
 * Remembers where an element is within the page's content, or within a dialog.
 * @returns what gives the focus back; undefined if the element is not in it
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
