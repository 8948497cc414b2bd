/**
 * Creates elements. Text is only added as text nodes, so nothing in a message can become markup.
 *
 * @module
 */

/** What an element may contain. */
export type Child = Node | string | null | undefined | false | readonly Child[];

/** Attributes; `on…` are listeners, `class` and `style` are texts, true is an attribute without a value. */
export type Attributes = {
  [name: string]: string | number | boolean | null | undefined | ((e: never) => void);
};

/** An element with attributes and children. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  setAttributes(e, attributes);
  append(e, children);
  return e;
}

/** An IP address, which reads from left to right in every language. */
export function ipAddress(text: string): HTMLElement {
  return el("bdi", { dir: "ltr" }, text);
}

/** Sets attributes, or removes them (null, undefined, false). */
export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value as (ev: Event) => void);
    } else if (value === null || value === undefined || value === false) {
      element.removeAttribute(name);
    } else if (name === "style") {
      // Not as an attribute, which the page's policy forbids.
      (element as HTMLElement).style.cssText = String(value);
    } else if (name === "value" && "value" in element) {
      (element as HTMLInputElement).value = String(value);
    } else if (name === "checked") {
      (element as HTMLInputElement).checked = true;
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/** An SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(e, attributes);
  append(e, children);
  return e;
}

function append(node: Node, children: readonly Child[]): void {
  for (const c of children) {
    if (c === null || c === undefined || c === false) continue;
    if (typeof c === "string") node.appendChild(document.createTextNode(c));
    else if (c instanceof Node) node.appendChild(c);
    else append(node, c);
  }
}

/** Replaces the content of an element. */
export function fill(element: Element, ...children: Child[]): void {
  const f = document.createDocumentFragment();
  append(f, children);
  element.replaceChildren(f);
}

/** Text for screen readers only. */
export function unseen(text: string): HTMLElement {
  return el("span", { class: "unseen" }, text);
}

/** Makes ids unique for elements that refer to each other. */
let ids = 0;
export function newId(prefix: string): string {
  return `${prefix}-${++ids}`;
}

/** A field with its label. */
export function field(label: Child, input: HTMLElement, explanation?: string): HTMLElement {
  const id = input.id || newId("field");
  input.id = id;
  const text = el("label", { for: id, class: "field-label" }, label);
  if (explanation === undefined) return el("div", { class: "field" }, text, input);
  const hint = el("p", { class: "hint", id: `${id}-hint` }, explanation);
  input.setAttribute("aria-describedby", hint.id);
  return el("div", { class: "field" }, text, input, hint);
}

/** Marks an element with a dotted underline, and puts an explanation into its title. */
export function explain<T extends Element>(e: T, text: string): T {
  e.setAttribute("title", text);
  e.classList.add("explained");
  return e;
}
