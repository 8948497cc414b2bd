/**
 * The frame of the account and admin pages: a list of sections, and the one named by the address.
 *
 * `#name` is a section, `#name/thing` something in it. A section is built anew each time it is shown.
 *
 * @module
 */
import { CallError } from "../api/client.ts";
import { button } from "./button.ts";
import { type Child, el, fill } from "./dom.ts";
import { rememberFocus } from "./focus.ts";
import { errorText } from "./notify.ts";
import { t } from "./text.ts";

/** What a section shows under its own heading. */
export interface View {
  heading: string;
  /** Shown beside the heading. */
  actions?: Child;
  content: Child;
}

/** A section of the page, reached by its name in the address (#name). */
export interface Section {
  id: string;
  title: string;
  /** Sections of the same group share a heading. */
  group?: string;
  /** Milliseconds after which it is redrawn, unless someone is working in it. */
  every?: number;
  /** Builds the content; `thing` is what the address names in it, "" for nothing. */
  show: (thing: string) => Child | View | Promise<Child | View>;
}

export interface Frame {
  /** Shows what the address names, with current data. */
  refresh(): Promise<void>;
}

export interface FrameOptions {
  title: string;
  who: string;
  sections: readonly Section[];
  /** Other pages, at the end of the top line. */
  links?: readonly { title: string; href: string }[];
  logout: () => unknown;
}

/** Milliseconds before the page says that it is loading. */
const patience = 300;

const isView = (x: Child | View): x is View =>
  typeof x === "object" && x !== null && "heading" in x && "content" in x;

/** Address of something in a section. */
export const hrefOf = (id: string, thing: string) => `#${id}/${encodeURIComponent(thing)}`;

function place(): { id: string; thing: string } {
  const [, id, thing] = /^#?([^/]*)\/?(.*)$/.exec(location.hash)!;
  try {
    return { id, thing: decodeURIComponent(thing) };
  } catch {
    return { id, thing: "" };
  }
}

/** Shows the frame. */
export function frame(into: HTMLElement, options: FrameOptions): Frame {
  const content = el("main", { class: "page-content", tabindex: -1 });
  const links = new Map(
    options.sections.map((s) => [s.id, el("a", { href: `#${s.id}` }, s.title)]),
  );
  let turn = 0;
  /** The address that `content` belongs to. */
  let shownPlace = "";
  let timer: ReturnType<typeof setTimeout> | undefined;

  const refresh = async () => {
    clearTimeout(timer);
    const { id, thing } = place();
    const section = options.sections.find((s) => s.id === id) ?? options.sections[0];
    for (const [name, a] of links) {
      if (name === section.id) a.setAttribute("aria-current", "page");
      else a.removeAttribute("aria-current");
    }
    fill(menu, section.title);
    const mine = ++turn;
    const slow = setTimeout(() => content.setAttribute("aria-busy", "true"), patience);
    const here = `${section.id}/${thing}`;
    const left = rememberFocus(document.activeElement);
    // The previous page gets no clicks while the next one loads.
    content.inert = here !== shownPlace;
    try {
      const shown = await section.show(thing);
      if (mine !== turn) return;
      const view: View = isView(shown) ? shown : { heading: section.title, content: shown };
      document.title = `${view.heading} – ${options.title}`;
      content.dataset.section = section.id;
      shownPlace = here;
      content.inert = false;
      const back = thing === ""
        ? null
        : el("p", { class: "crumb" }, el("a", { href: `#${section.id}` }, section.title));
      // The focus stays on what was pressed, if it still exists.
      const focused = document.activeElement;
      const giveBack = focused === document.body ? left : rememberFocus(focused);
      fill(
        content,
        el(
          "div",
          { class: "heading" },
          el("div", {}, back, el("h1", {}, view.heading)),
          view.actions,
        ),
        view.content,
      );
      giveBack?.();
      if (section.every !== undefined) timer = setTimeout(again, section.every);
    } catch (e) {
      if (mine !== turn) return;
      // The session has ended: the page asks for the password again.
      if (e instanceof CallError && e.code === "login") return location.reload();
      document.title = `${section.title} – ${options.title}`;
      shownPlace = here;
      fill(
        content,
        el("div", { class: "heading" }, el("h1", {}, section.title)),
        el("p", { class: "error", role: "alert" }, errorText(e)),
        el("div", { class: "tools" }, button(t("Try again"), refresh)),
      );
    } finally {
      clearTimeout(slow);
      if (mine === turn) {
        content.removeAttribute("aria-busy");
        content.inert = false;
      }
    }
  };
  /** Redraws, but not while someone works in the section. */
  const again = () => {
    const busy = document.hidden || document.querySelector("dialog[open]") !== null ||
      content.contains(document.activeElement);
    if (!busy) return void refresh();
    clearTimeout(timer);
    timer = setTimeout(again, 5_000);
  };

  const menu = button("", () => open(below.dataset.menu !== "open"), {
    attributes: { class: "menu-button", "aria-expanded": "false", "aria-controls": "sections" },
  });
  const open = (on: boolean) => {
    below.dataset.menu = on ? "open" : "";
    menu.setAttribute("aria-expanded", String(on));
  };
  const groups: { title: string; sections: Section[] }[] = [];
  for (const s of options.sections) {
    const title = s.group ?? "";
    if (groups.at(-1)?.title === title) groups.at(-1)!.sections.push(s);
    else groups.push({ title, sections: [s] });
  }
  const below = el(
    "div",
    { class: "page-below" },
    el(
      "nav",
      { "aria-label": t("Sections"), id: "sections" },
      groups.map((g) => [
        g.title === "" ? null : el("h2", { id: `group-${g.sections[0].id}` }, g.title),
        el(
          "ul",
          { "aria-labelledby": g.title === "" ? null : `group-${g.sections[0].id}` },
          g.sections.map((s) => el("li", {}, links.get(s.id)!)),
        ),
      ]),
    ),
    content,
  );
  addEventListener("hashchange", () => {
    const fromContent = content.contains(document.activeElement);
    open(false);
    void refresh().then(() => {
      scrollTo(0, 0);
      if (fromContent) content.focus({ preventScroll: true });
    });
  });
  fill(
    into,
    el(
      "div",
      { class: "page" },
      el(
        "header",
        { class: "top" },
        menu,
        el("strong", {}, options.title),
        el("span", { class: "who" }, options.who),
        el("span", { class: "grow" }),
        (options.links ?? []).map((l) => el("a", { href: l.href, class: "top-link" }, l.title)),
        button(t("Log out"), options.logout, { attributes: { class: "quiet" } }),
      ),
      below,
    ),
  );
  void refresh();
  return { refresh };
}
