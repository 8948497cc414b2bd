/** The configuration files: mox.conf for reading, domains.conf for editing. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import type { Section, View } from "../../lib/frame.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { lead, part, tools } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import type { Problem } from "../api/settings.ts";

export function configSection(changed: () => Promise<void>): Section {
  return { id: "config", title: "Configuration", show: () => show(changed) };
}

async function show(changed: () => Promise<void>): Promise<View> {
  const files = await makeCall(adminCalls, "ConfigFiles", {});
  return {
    heading: "Configuration",
    content: [
      part(
        "domains.conf",
        lead(
          el("code", {}, files.dynamic.path),
          ": domains, accounts and the web server. What is saved is in force at once.",
        ),
        ...editor(files.dynamic.text, files.dynamic.version, changed),
      ),
      part(
        "mox.conf",
        lead(
          el("code", {}, files.static.path),
          ": read when the server starts. It is edited on the host; “mox config test” looks for mistakes.",
        ),
        el("pre", { tabindex: 0, role: "region", "aria-label": "mox.conf" }, files.static.text),
      ),
    ],
  };
}

function editor(before: string, version: string, changed: () => Promise<void>): HTMLElement[] {
  const area = el("textarea", {
    class: "code",
    rows: 24,
    spellcheck: "false",
    autocapitalize: "off",
    wrap: "off",
    "aria-label": "domains.conf",
    oninput: () => update(),
    onkeydown: (e: KeyboardEvent) => tab(e),
  });
  area.value = before;
  const problems = el("div", { role: "alert" });
  const save = button("Save", () => write(false), { primary: true });
  const check = button("Look for mistakes", () => write(true));
  const revert = button("Undo all changes", () => {
    area.value = before;
    fill(problems);
    update();
    area.focus();
  });
  const update = () => {
    save.disabled = revert.disabled = area.value === before;
  };
  const toLine = (n: number) => {
    const lines = area.value.split("\n");
    const start = lines.slice(0, n - 1).reduce((sum, l) => sum + l.length + 1, 0);
    area.focus();
    area.setSelectionRange(start, start + (lines[n - 1]?.length ?? 0));
    const height = area.scrollHeight / lines.length;
    area.scrollTop = Math.max(0, (n - 5) * height);
  };
  const tell = (list: readonly Problem[]) =>
    fill(
      problems,
      el("p", { class: "bad" }, "Nothing was changed. What is wrong:"),
      el(
        "ul",
        { class: "problems" },
        list.map((p) =>
          el(
            "li",
            {},
            p.line === 0
              ? null
              : button(`Line ${p.line}`, () => toLine(p.line), { attributes: { class: "link" } }),
            p.line === 0 ? `The file ${p.message}` : `: ${p.message}`,
          )
        ),
      ),
    );
  const write = (only: boolean) =>
    attempt(async () => {
      fill(problems);
      const { problems: found } = await makeCall(adminCalls, "ConfigWrite", {
        text: area.value,
        version,
        check: only,
      });
      if (found.length > 0) return tell(found);
      if (only) return void notice("There are no mistakes.");
      notice("Saved, and in force.");
      await changed();
    });
  update();
  return [
    area,
    problems,
    tools(save, check, revert, button("Help on all fields", help)),
    lead("Tab indents; press Escape first to leave the field with it."),
  ];
}

let leaving = false;

/** Tab indents, as the file's format needs; after Escape it leaves the field, for keyboard users. */
function tab(event: KeyboardEvent): void {
  if (event.key === "Escape") {
    leaving = true;
    return;
  }
  if (event.key === "Tab" && !event.shiftKey && !leaving) {
    event.preventDefault();
    const area = event.target as HTMLTextAreaElement;
    area.setRangeText("\t", area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input"));
  }
  leaving = false;
}

function help(): void {
  attempt(async () => {
    const { text } = await makeCall(adminCalls, "ConfigHelp", {});
    openDialog(
      "Fields of domains.conf",
      el("pre", { tabindex: 0, role: "region", "aria-label": "Fields of domains.conf" }, text),
      { wide: true },
    );
  });
}
