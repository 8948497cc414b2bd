/** What mail programs and receiving servers might object to in a message. @module */
import { type Child, el, fill } from "../lib/dom.ts";
import { api, type Checks, type HtmlSupport, type Links } from "./api.ts";

/** HTML features listed at most, those with the least support first. */
const maxFeatures = 40;

const marks: Record<string, string> = { warning: "⚠", note: "ℹ", ok: "✓" };
const titles: Record<string, string> = {
  size: "Size",
  header: "Header",
  accessibility: "Accessibility",
  spam: "Signs of junk",
  authentication: "Authentication",
};

function findings({ Findings, SpamScore, SpamLimit }: Checks): Child {
  return [...new Set(Findings.map((f) => f.Area))].map((area) => [
    el("h3", {}, titles[area] ?? area),
    area !== "spam" ? null : el(
      "p",
      {},
      el("meter", {
        min: 0,
        max: SpamLimit * 2,
        low: SpamLimit / 2,
        high: SpamLimit,
        optimum: 0,
        value: SpamScore,
        "aria-label": "Points for signs of junk",
      }),
      ` ${SpamScore} points; filters that count take a message for junk from ${SpamLimit}.`,
    ),
    el(
      "ul",
      { class: "findings" },
      Findings.filter((f) => f.Area === area).map((f) =>
        el(
          "li",
          { class: `check-${f.Level}` },
          el("span", { class: "check-mark", role: "img", "aria-label": f.Level }, marks[f.Level]),
          f.Text,
          f.Points === undefined ? null : el("span", { class: "soft" }, ` +${f.Points}`),
        )
      ),
    ),
  ]);
}

function supportTable({ Warnings }: HtmlSupport): Child {
  const features = Warnings.toSorted((a, b) => a.Score.Supported - b.Score.Supported)
    .slice(0, maxFeatures);
  if (features.length === 0) return null;
  return [
    el("h3", {}, "Support by mail programs"),
    el(
      "table",
      {},
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ["Feature", "Supported", "In part", "Not"].map((h) => el("th", { scope: "col" }, h)),
        ),
      ),
      el(
        "tbody",
        {},
        features.map((f) =>
          el(
            "tr",
            {},
            el("td", {}, el("a", { href: f.URL, target: "_blank", rel: "noopener" }, f.Title)),
            [f.Score.Supported, f.Score.Partial, f.Score.Unsupported].map((n) =>
              el("td", { class: "number" }, `${Math.round(n)} %`)
            ),
          )
        ),
      ),
    ),
  ];
}

/** All checks, and a form that repeats them as if the message had come from a given address. */
export async function checks(id: string, html: boolean): Promise<Child> {
  // HTML that can't be checked doesn't keep the rest from being shown.
  const support = html ? await api.support(id).catch(() => ({ Warnings: [] })) : { Warnings: [] };
  const found = el("div", {}, findings(await api.checks(id, "")));
  const ip = el("input", {
    name: "ip",
    required: true,
    placeholder: "192.0.2.1",
    "aria-label": "IP address",
  });
  const said = el("p", { role: "status", class: "soft" });
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    fill(said, "Asking the DNS…");
    try {
      fill(found, findings(await api.checks(id, ip.value.trim())));
      fill(said, `SPF, DKIM and DMARC as if it came from ${ip.value.trim()}.`);
    } catch (err) {
      fill(said, (err as Error).message);
    }
  };
  return [
    el(
      "form",
      { class: "bar", onsubmit: submit },
      el("span", {}, "As a receiver sees it that gets it from"),
      ip,
      el("button", { type: "submit" }, "Ask the DNS"),
    ),
    said,
    found,
    supportTable(support),
  ];
}

function linkRows({ Links }: Links): Child {
  if (Links.length === 0) return el("p", { class: "none" }, "It has no links.");
  return el(
    "ul",
    { class: "findings" },
    Links.map((l) => {
      const good = l.StatusCode >= 200 && l.StatusCode < 400;
      return el(
        "li",
        { class: good ? "check-ok" : "check-warning" },
        el("span", { class: "check-mark", role: "img", "aria-label": good ? "ok" : "warning" }, [
          good ? marks.ok : marks.warning,
        ]),
        el("span", { class: "link" }, l.URL),
        el("span", { class: "soft" }, ` ${l.StatusCode === 0 ? "" : l.StatusCode} ${l.Status}`),
      );
    }),
  );
}

/** Links and images, which are only requested when the user asks for it. */
export function links(id: string): Child {
  const result = el("div", {});
  const ask = el("button", {
    type: "button",
    onclick: async () => {
      fill(result, el("p", { class: "none" }, "Asking…"));
      try {
        fill(result, linkRows(await api.links(id)));
      } catch (err) {
        fill(result, el("p", { role: "alert", class: "error" }, (err as Error).message));
      }
    },
  }, "Ask whether they lead somewhere");
  return [
    el(
      "p",
      { class: "bar" },
      ask,
      el("span", { class: "soft" }, "Each link and picture gets a HEAD request."),
    ),
    result,
  ];
}
