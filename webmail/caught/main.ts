/**
 * The page for developers: what localserve caught, as it was sent, as mail programs show it and as receiving servers
 * judge it. `#ID` in the address is a message; `#latest` the newest.
 *
 * @module
 */
import { confirmDialog } from "../lib/dialog.ts";
import { el, fill } from "../lib/dom.ts";
import { errorText, mountNotifications, notice } from "../lib/notify.ts";
import { api, onChange } from "./api.ts";
import { messageList } from "./list.ts";
import { messageView } from "./message.ts";

const failed = (err: unknown) => notice(errorText(err));
const place = el("section", { class: "place", "aria-label": "Message" });
const main = el("main", { class: "caught" });

/** The id in the address; "" for none. */
function named(): string {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

const list = messageList({
  onOpen: (id) => location.hash = `#${encodeURIComponent(id)}`,
  onError: failed,
});

const empty = () =>
  el("p", { class: "none" }, "Open a message to see how it looks, and what is in it.");

let showing = 0;
async function show(): Promise<void> {
  const id = named();
  const turn = ++showing;
  main.classList.toggle("open", id !== "");
  if (id === "") {
    list.setOpen("");
    return fill(place, empty());
  }
  try {
    const m = await api.message(id);
    if (turn !== showing) return;
    list.setOpen(m.ID);
    const back = el("button", {
      type: "button",
      class: "back",
      onclick: () => location.hash = "",
    }, "All messages");
    const remove = el("button", {
      type: "button",
      class: "danger",
      onclick: async () => {
        try {
          await api.remove([m.ID]);
          location.hash = "";
        } catch (err) {
          failed(err);
        }
      },
    }, "Delete");
    const view = messageView(m, [back, remove]);
    fill(place, view);
    document.title = `${m.Subject === "" ? "(no subject)" : m.Subject} – caught mail`;
    view.querySelector("h2")?.focus({ preventScroll: true });
  } catch (err) {
    if (turn === showing) {
      fill(place, el("p", { role: "alert", class: "error" }, (err as Error).message));
    }
  }
}

const search = el("input", {
  type: "search",
  "aria-label": "Search",
  placeholder: "Search: to:ann subject:order",
  oninput: () => {
    clearTimeout(pause);
    pause = setTimeout(() => void list.search(search.value.trim()), 200);
  },
});
let pause: ReturnType<typeof setTimeout> | undefined;

const state = el("span", { class: "soft", role: "status" });

async function removeAll(): Promise<void> {
  const sure = await confirmDialog(
    "Delete all",
    "All messages are deleted for good.",
    "Delete all",
  );
  if (!sure) return;
  try {
    await api.remove([]);
    location.hash = "";
    await list.refresh();
  } catch (err) {
    failed(err);
  }
}

fill(main, el("nav", { "aria-label": "Caught messages" }, list.root), place);
document.body.append(
  el(
    "header",
    { class: "top" },
    el("h1", {}, "Caught mail"),
    search,
    state,
    el("a", { href: "/webmail/" }, "Webmail"),
    el("a", { href: "/api/v1/openapi.json" }, "API"),
    el(
      "button",
      { type: "button", class: "danger", onclick: () => void removeAll() },
      "Delete all",
    ),
  ),
  main,
);
mountNotifications();
addEventListener("hashchange", () => void show());
addEventListener("keydown", (e) => {
  const typing = e.target instanceof Element && e.target.closest("input, dialog") !== null;
  if (typing || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === "j") list.step(1);
  else if (e.key === "k") list.step(-1);
  else if (e.key === "/") {
    e.preventDefault();
    search.focus();
  }
});
onChange(
  () => void list.refresh(),
  (connected) => fill(state, connected ? "" : "Not connected; tried again by itself."),
);
void show();
