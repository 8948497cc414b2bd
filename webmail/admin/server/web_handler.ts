/** The dialog for a handler of the web server. @module */
import { button } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el, field, fill } from "../../lib/dom.ts";
import { errorText } from "../../lib/notify.ts";
import type { WebAction, WebHandler } from "../api/settings.ts";

export const kindNames: Record<WebAction["kind"], string> = {
  static: "Files",
  redirect: "Redirect",
  forward: "Reverse proxy",
  internal: "Page of this server",
};
const kinds = Object.keys(kindNames) as WebAction["kind"][];
const services = ["webmail", "account", "admin", "webapi"] as const;

/** Asks for a handler; errors of `save` are shown and the dialog stays. */
export function handlerDialog(
  handler: WebHandler | undefined,
  save: (h: WebHandler) => Promise<void>,
): void {
  const text = (value: string, placeholder = "", required = false) =>
    el("input", { type: "text", value, placeholder, required, autocomplete: "off" });
  const check = (label: string, on: boolean) => {
    const input = el("input", { type: "checkbox", checked: on });
    return { input, label: el("label", { class: "checkbox" }, input, label) };
  };
  const domain = text(handler?.domain ?? "", "www.example.org", true);
  const path = text(handler?.path ?? "^/", "^/", true);
  const logName = text(handler?.logName ?? "");
  const plain = check("Answer plain HTTP as well", handler?.plainHttp ?? false);
  const compress = check("Compress answers", handler?.compress ?? false);
  const kind = el(
    "select",
    { onchange: () => show() },
    kinds.map((k) =>
      el("option", { value: k, selected: k === (handler?.action.kind ?? "static") }, kindNames[k])
    ),
  );
  const of = <K extends WebAction["kind"]>(k: K) =>
    handler?.action.kind === k ? handler.action as Extract<WebAction, { kind: K }> : undefined;

  const s = of("static");
  const root = text(s?.root ?? "", "web/", true);
  const stripPrefix = text(s?.stripPrefix ?? "", "/");
  const list = check("List folders that have no index.html", s?.listFiles ?? false);
  const goOn = check("Leave missing files to later handlers", s?.continueNotFound ?? false);
  const r = of("redirect");
  const baseUrl = text(r?.baseUrl ?? "", "https://example.org");
  const origPath = text(r?.origPath ?? "", "^/old/(.*)");
  const replacePath = text(r?.replacePath ?? "", "/new/$1");
  const status = el("input", { type: "number", min: 300, max: 399, value: r?.status ?? 308 });
  const f = of("forward");
  const url = text(f?.url ?? "", "http://127.0.0.1:8080/", true);
  const strip = check("Take the matched path off", f?.stripPath ?? false);
  const i = of("internal");
  const basePath = text(i?.basePath ?? "/webmail/", "/webmail/", true);
  const service = el(
    "select",
    {},
    services.map((x) => el("option", { value: x, selected: x === i?.service }, x)),
  );
  const headers = el("textarea", { rows: 3, spellcheck: "false", placeholder: "X-Name: value" });
  headers.value = (s ?? f)?.headers.map((x) => `${x.name}: ${x.value}`).join("\n") ?? "";
  const headerField = field("Headers of answers", headers, "One on each line.");

  const fields: Record<WebAction["kind"], HTMLElement[]> = {
    static: [
      field("Folder", root, "On the host; relative to the folder that the server runs in."),
      field("Take off the path", stripPrefix, "What the request's path starts with."),
      list.label,
      goOn.label,
      headerField,
    ],
    redirect: [
      field("To", baseUrl, "A URL without path; empty to change the path only."),
      field("Expression for the path", origPath, "Empty for any path."),
      field("New path", replacePath, "$1 stands for the first group of the expression."),
      field("Status", status),
    ],
    forward: [
      field("To", url, "Another web server. Websockets are passed through."),
      strip.label,
      headerField,
    ],
    internal: [
      field("Page", service),
      field("At", basePath, "Starts and ends with a slash."),
    ],
  };
  const special = el("div", { class: "stacked" });
  const show = () => fill(special, fields[kind.value as WebAction["kind"]]);
  const headerList = () =>
    headers.value.split("\n").filter((l) => l.trim() !== "").map((l) => {
      const at = l.indexOf(":");
      if (at < 1) throw new Error(`“${l}” is not a header: it has the form Name: value.`);
      return { name: l.slice(0, at).trim(), value: l.slice(at + 1).trim() };
    });
  const action = (): WebAction => {
    switch (kind.value as WebAction["kind"]) {
      case "static":
        return {
          kind: "static",
          root: root.value.trim(),
          stripPrefix: stripPrefix.value.trim(),
          listFiles: list.input.checked,
          continueNotFound: goOn.input.checked,
          headers: headerList(),
        };
      case "redirect":
        return {
          kind: "redirect",
          baseUrl: baseUrl.value.trim(),
          origPath: origPath.value.trim(),
          replacePath: replacePath.value.trim(),
          status: Number(status.value),
        };
      case "forward":
        return {
          kind: "forward",
          url: url.value.trim(),
          stripPath: strip.input.checked,
          headers: headerList(),
        };
      case "internal":
        return {
          kind: "internal",
          basePath: basePath.value.trim(),
          service: services.find((x) => x === service.value) ?? "webmail",
        };
    }
  };
  const error = el("p", { class: "error", role: "alert" });
  const submit = el(
    "button",
    { type: "submit", class: "primary" },
    handler === undefined ? "Add" : "Save",
  );
  const form = el(
    "form",
    {
      onsubmit: async (event: Event) => {
        event.preventDefault();
        submit.disabled = true;
        fill(error);
        try {
          await save({
            domain: domain.value.trim(),
            path: path.value.trim(),
            logName: logName.value.trim(),
            plainHttp: plain.input.checked,
            compress: compress.input.checked,
            action: action(),
          });
          dialog.close();
        } catch (err) {
          fill(error, errorText(err));
        } finally {
          submit.disabled = false;
        }
      },
    },
    field("Host", domain, "Of the requests."),
    field("Path", path, "A regular expression that begins with ^."),
    field("What it does", kind),
    special,
    el("div", { class: "checkboxes" }, plain.label, compress.label),
    field("Name in the log", logName),
    error,
    el("div", { class: "buttons" }, button("Cancel", () => dialog.close()), submit),
  );
  show();
  const dialog = openDialog(handler === undefined ? "Add handler" : "Handler", form);
  domain.focus();
}
