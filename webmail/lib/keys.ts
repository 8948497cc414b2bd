/**
 * Keyboard shortcuts in layers: the topmost layer that knows a key handles it.
 *
 * A key is named by its modifiers and itself: "r", "R" (shift makes the capital), "ctrl Enter", "shift ArrowDown".
 * The Mac's command key counts as ctrl.
 *
 * @module
 */

/** One shortcut. */
export interface Shortcut {
  key: string;
  /** Shown in the help. */
  what: string;
  run: (event: KeyboardEvent) => unknown;
  /** Works in text fields too. */
  inFields?: boolean;
}

/** Shortcuts that belong together. */
export interface KeyLayer {
  name: string;
  shortcuts: readonly Shortcut[];
  /** False while they don't apply. */
  active?: () => boolean;
}

const layers: KeyLayer[] = [];

/** Adds a layer on top; the returned function removes it. */
export function addKeys(layer: KeyLayer): () => void {
  layers.push(layer);
  return () => {
    const i = layers.indexOf(layer);
    if (i >= 0) layers.splice(i, 1);
  };
}

/** All layers, for the help. */
export function keyLayers(): readonly KeyLayer[] {
  return layers;
}

/** The name of a pressed key. */
export function keyName(event: KeyboardEvent): string {
  const named = event.key.length > 1;
  const key = event.key === " " ? "Space" : event.key;
  return [
    event.ctrlKey || event.metaKey ? "ctrl" : "",
    event.altKey ? "alt" : "",
    event.shiftKey && (named || key === "Space") ? "shift" : "",
    key,
  ].filter((s) => s !== "").join(" ");
}

function inField(event: KeyboardEvent): boolean {
  const t = event.target;
  return t instanceof HTMLElement &&
    (t.isContentEditable || t instanceof HTMLTextAreaElement || t instanceof HTMLSelectElement ||
      (t instanceof HTMLInputElement && !["checkbox", "radio", "button"].includes(t.type)));
}

/** Starts listening. */
export function mountKeys(): void {
  document.addEventListener("keydown", (e) => {
    if (e.defaultPrevented || e.isComposing) return;
    // Dialogs and menus have their own keys.
    if (e.target instanceof Element && e.target.closest("dialog, [role=menu]")) return;
    const name = keyName(e);
    const field = inField(e);
    // Buttons and links keep Enter and Space.
    const own = e.target instanceof Element && e.target.closest("button, a[href], summary");
    if (own && (name === "Enter" || name === "Space")) return;
    for (const layer of [...layers].reverse()) {
      if (layer.active !== undefined && !layer.active()) continue;
      const s = layer.shortcuts.find((x) => x.key === name && (!field || x.inFields));
      if (s === undefined) continue;
      e.preventDefault();
      s.run(e);
      return;
    }
  });
}
