/** The web server: redirects of domains, and handlers in order. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog } from "../../lib/dialog.ts";
import { el } from "../../lib/dom.ts";
import type { Section, View } from "../../lib/frame.ts";
import { attempt } from "../../lib/notify.ts";
import { formDialog, lead, part, table, tools } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import type { WebAction, WebHandler } from "../api/settings.ts";
import { handlerDialog, kindNames } from "./web_handler.ts";

export function webServerSection(changed: () => Promise<void>): Section {
  return { id: "web", title: "Web server", show: () => show(changed) };
}

async function show(changed: () => Promise<void>): Promise<View> {
  const { redirects, handlers, listening } = await makeCall(adminCalls, "WebServer", {});
  const set = async (next: { redirects?: typeof redirects; handlers?: WebHandler[] }) => {
    await makeCall(adminCalls, "WebServerSet", { redirects, handlers, ...next });
    await changed();
  };
  const remove = (title: string, text: string, next: Parameters<typeof set>[0]) =>
    attempt(async () => {
      if (await confirmDialog(title, text, "Remove", { danger: true })) await set(next);
    });
  const move = (i: number, by: number) => {
    const next = [...handlers];
    next.splice(i + by, 0, ...next.splice(i, 1));
    return attempt(() => set({ handlers: next }));
  };
  return {
    heading: "Web server",
    content: [
      listening.length === 0
        ? el(
          "p",
          { class: "state-warning" },
          "No listener serves it: set WebserverHTTP and WebserverHTTPS of one in mox.conf.",
        )
        : lead(`Served by ${listening.join("; ")}.`),
      part(
        "Redirects of domains",
        lead("All requests for a domain are sent to another one, by HTTPS."),
        table(
          ["From", "To", { text: "Actions", unseen: true }],
          redirects.map((r) => [
            r.from,
            r.to,
            button(
              "Remove",
              () =>
                remove(`Redirect of ${r.from}`, "Requests for it go to the handlers then.", {
                  redirects: redirects.filter((x) => x !== r),
                }),
              { danger: true },
            ),
          ]),
          "There are none.",
        ),
        tools(
          button("Add redirect", () =>
            formDialog(
              "Add redirect",
              [
                { name: "from", label: "Domain", required: true, placeholder: "www.example.org" },
                { name: "to", label: "Sent to", required: true, placeholder: "example.org" },
              ],
              "Add",
              ({ from, to }) => set({ redirects: [...redirects, { from, to }] }),
            )),
        ),
      ),
      part(
        "Handlers",
        lead("The first that fits host and path of a request answers it."),
        table(
          ["Host", "Path", "What it does", "Options", { text: "Actions", unseen: true }],
          handlers.map((h, i) => {
            const name = `handler ${i + 1}`;
            return [
              [h.domain, h.logName === "" ? null : el("div", { class: "muted" }, h.logName)],
              el("code", {}, h.path),
              [el("strong", {}, kindNames[h.action.kind]), el("div", {}, ...whatItDoes(h.action))],
              el(
                "ul",
                {},
                h.plainHttp ? el("li", {}, "plain HTTP too") : null,
                h.compress ? el("li", {}, "compressed") : null,
              ),
              [
                i > 0
                  ? button("↑", () => move(i, -1), {
                    title: "Earlier",
                    attributes: { "aria-label": `Move ${name} up` },
                  })
                  : null,
                i < handlers.length - 1
                  ? button("↓", () => move(i, 1), {
                    title: "Later",
                    attributes: { "aria-label": `Move ${name} down` },
                  })
                  : null,
                button("Edit", () =>
                  handlerDialog(
                    h,
                    (next) => set({ handlers: handlers.map((x) => x === h ? next : x) }),
                  )),
                button(
                  "Remove",
                  () =>
                    remove(
                      "Remove the handler",
                      `Requests for ${h.domain} go to the others then.`,
                      {
                        handlers: handlers.filter((x) => x !== h),
                      },
                    ),
                  { danger: true },
                ),
              ],
            ];
          }),
          "There are none: only the server's own pages are served.",
        ),
        tools(
          button(
            "Add handler",
            () => handlerDialog(undefined, (h) => set({ handlers: [...handlers, h] })),
            {
              primary: true,
            },
          ),
        ),
      ),
    ],
  };
}

function whatItDoes(action: WebAction): (string | HTMLElement)[] {
  switch (action.kind) {
    case "static":
      return ["from ", el("code", {}, action.root), action.listFiles ? ", folders are listed" : ""];
    case "redirect":
      return [
        "to ",
        el("code", {}, `${action.baseUrl}${action.replacePath}` || "another path"),
        ` (${action.status})`,
      ];
    case "forward":
      return ["to ", el("code", {}, action.url)];
    case "internal":
      return [`${action.service} at `, el("code", {}, action.basePath)];
  }
}
