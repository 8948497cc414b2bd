/** The queue of outgoing messages: what each is waiting for, and what can be done about it. @module */
import { makeCall } from "../../api/client.ts";
import { button, linkButton } from "../../lib/button.ts";
import { confirmDialog, openDialog, openMenu } from "../../lib/dialog.ts";
import { el, field, fill } from "../../lib/dom.ts";
import type { Section, View } from "../../lib/frame.ts";
import { countText, longDate, sizeText } from "../../lib/format.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { facts, formDialog, lead, table, tools } from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import type { QueueFilter, QueueItem } from "../api/queue.ts";
import { attemptsList, attemptText } from "./attempts_list.ts";
import { date, fromNow } from "../dates.ts";
import { holdRulesPart } from "./hold_rules.ts";

type Action = Parameters<typeof makeCall<typeof adminCalls, "QueueAct">>[2]["action"];

/** Most items shown. */
const limit = 200;

/** The last filter; kept while the page is open. */
let filter: QueueFilter = {};
let sort: "next" | "queued" = "next";
let descending = false;

export function queueSection(changed: () => Promise<void>): Section {
  return { id: "queue", title: "Queue", show: () => show(changed) };
}

async function show(changed: () => Promise<void>): Promise<View> {
  const [{ items, total, more, transports }, { accounts }, rules] = await Promise.all([
    makeCall(adminCalls, "Queue", { filter, sort, descending, limit }),
    makeCall(adminCalls, "Accounts", {}),
    holdRulesPart(changed),
  ]);
  const boxes = new Map(
    items.map((i) => [
      i.id,
      el("input", { type: "checkbox", "aria-label": `Select ${i.to}`, onchange: () => count() }),
    ]),
  );
  const all = el("input", {
    type: "checkbox",
    onchange: () => {
      for (const b of boxes.values()) b.checked = all.checked;
      count();
    },
  });
  const allLabel = el("label", { class: "checkbox" }, all, "All shown");
  /** Whether actions also apply to items that are not shown. */
  const beyond = el("input", { type: "checkbox", onchange: () => count() });
  const beyondLabel = el(
    "label",
    { class: "checkbox" },
    beyond,
    "and those that fit the filter but are not shown",
  );
  const filtered = Object.values(filter).some((v) => v !== undefined);
  const selected = el("span", { class: "muted", role: "status" });
  const chosen = () => [...boxes].filter(([, b]) => b.checked).map(([id]) => id);
  const count = () => {
    const n = chosen().length;
    all.checked = n > 0 && n === boxes.size;
    all.indeterminate = n > 0 && n < boxes.size;
    beyondLabel.hidden = !(all.checked && more && filtered);
    if (beyondLabel.hidden) beyond.checked = false;
    fill(selected, n === 0 ? "" : beyond.checked ? "all that fit" : `${n} selected`);
    for (const b of acts) b.disabled = n === 0;
  };
  const act = (action: Action, question?: string, yes = "Go on") =>
    attempt(async () => {
      const target = beyond.checked ? filter : { ids: chosen() };
      if (question !== undefined) {
        if (!await confirmDialog("Queue", question, yes, { danger: true })) return;
      }
      await run(target, action);
      await changed();
    });
  const moreActions = button("More…", () =>
    openMenu(moreActions, [
      { text: "Try at a time…", run: () => schedule((time) => act({ do: "schedule", time })) },
      {
        text: "Transport…",
        run: () => transport(transports, (t) => act({ do: "transport", transport: t })),
      },
      {
        text: "Demand verified TLS",
        run: () => act({ do: "requiretls", value: "yes" }),
      },
      {
        text: "Send without TLS if need be",
        run: () =>
          act(
            { do: "requiretls", value: "no" },
            "The messages may then be read on their way.",
            "Allow",
          ),
      },
      {
        text: "TLS as policies say",
        run: () => act({ do: "requiretls", value: "" }),
      },
      {
        text: "Fail: give up and tell the sender",
        danger: true,
        run: () =>
          act({ do: "fail" }, "The messages are given up; their senders are told so.", "Fail"),
      },
      {
        text: "Drop: remove and tell nobody",
        danger: true,
        run: () => act({ do: "drop" }, "The messages are removed, and nobody is told.", "Drop"),
      },
    ], "Actions"));
  const acts = [
    button("Send now", () => act({ do: "schedule", time: Date.now() }), {
      title: "Try at once",
      primary: true,
    }),
    button("Hold", () => act({ do: "hold" }), { title: "Don't try until they are released" }),
    button("Release", () => act({ do: "release" })),
    moreActions,
  ];
  count();
  return {
    heading: "Queue",
    actions: button("Refresh", changed),
    content: [
      lead(
        total === 0 ? "Nothing is waiting to be sent." : `${countText(total, "recipient")} in all.`,
      ),
      total === 0 && !filtered
        ? null
        : filterForm(accounts.map((a) => a.name), transports, changed),
      items.length === 0
        ? null
        : el("div", { class: "tools sticky" }, allLabel, acts, selected, beyondLabel),
      items.length === 0
        ? filtered ? el("p", { class: "none" }, "Nothing fits the filter.") : null
        : el(
          "section",
          {},
          table(
            [
              { text: "Select", unseen: true },
              "To",
              "From and subject",
              { text: "Size", number: true },
              "Queued",
              "Next attempt",
              { text: "Attempts", number: true },
              "Last result",
            ],
            items.map((i) => [
              boxes.get(i.id)!,
              linkButton(i.to, () => message(i, changed), "Show the message and its attempts"),
              [
                el(
                  "div",
                  {},
                  i.from || "(none)",
                  el("span", { class: "muted" }, ` (${i.account})`),
                ),
                el("div", { class: "muted" }, i.subject),
              ],
              sizeText(i.size),
              date(i.queued),
              [state(i), ...marks(i)],
              String(i.attempts),
              i.last === null ? el("span", { class: "muted" }, "none yet") : attemptText(i.last),
            ]),
            "",
          ),
          more ? lead(`The first ${items.length}; the filter finds others.`) : null,
        ),
      rules,
    ],
  };
}

async function run(target: QueueFilter, action: Action): Promise<void> {
  const { count } = await makeCall(adminCalls, "QueueAct", { filter: target, action });
  notice(
    count === 0
      ? "None was changed: they have left the queue, or are being delivered just now."
      : `${countText(count, "recipient")} changed.`,
  );
}

function state(item: QueueItem): HTMLElement {
  if (item.hold) return el("span", { class: "label" }, "on hold");
  return item.next <= Date.now() ? el("span", {}, "now") : fromNow(item.next);
}

function marks(item: QueueItem): HTMLElement[] {
  return [
    ...item.transport === "" ? [] : [`by ${item.transport}`],
    ...item.requireTls === "" ? [] : [item.requireTls === "yes" ? "TLS demanded" : "TLS waived"],
  ].map((t) => el("div", { class: "muted" }, t));
}

/** A row of fields; changes take effect at once. */
function filterForm(
  accounts: readonly string[],
  transports: readonly string[],
  changed: () => Promise<void>,
): HTMLElement {
  const text = (value: string | undefined, placeholder: string) =>
    el("input", { type: "search", value: value ?? "", placeholder, autocomplete: "off" });
  const choice = (value: string, options: readonly (readonly [string, string])[]) =>
    el(
      "select",
      {},
      options.map(([v, t]) => el("option", { value: v, selected: v === value }, t)),
    );
  const to = text(filter.to, "part or @domain");
  const from = text(filter.from, "part or @domain");
  const account = choice(filter.account ?? "", [
    ["", "any"],
    ...accounts.map((a) => [a, a] as const),
  ]);
  const hold = choice(filter.hold === undefined ? "" : String(filter.hold), [
    ["", "any"],
    ["true", "on hold"],
    ["false", "not on hold"],
  ]);
  const by = choice(filter.transport ?? "any", [
    ["any", "any"],
    ["", "as routes say"],
    ...transports.map((t) => [t, t] as const),
  ]);
  const sorting = choice(`${sort} ${descending}`, [
    ["next false", "next attempt first"],
    ["next true", "next attempt last"],
    ["queued false", "oldest first"],
    ["queued true", "newest first"],
  ]);
  const apply = (event?: Event) => {
    event?.preventDefault();
    filter = {
      to: to.value.trim() || undefined,
      from: from.value.trim() || undefined,
      account: account.value || undefined,
      hold: hold.value === "" ? undefined : hold.value === "true",
      transport: by.value === "any" ? undefined : by.value,
    };
    const [s, d] = sorting.value.split(" ");
    sort = s === "queued" ? "queued" : "next";
    descending = d === "true";
    void changed();
  };
  for (const s of [account, hold, by, sorting]) s.addEventListener("change", () => apply());
  return el(
    "form",
    { class: "filter", onsubmit: apply, role: "search", "aria-label": "Filter of the queue" },
    field("To", to),
    field("From", from),
    field("Account", account),
    field("State", hold),
    transports.length > 0 ? field("Transport", by) : null,
    field("Order", sorting),
    el(
      "div",
      { class: "tools" },
      el("button", { type: "submit" }, "Filter"),
      button("Show all", () => {
        filter = {};
        void changed();
      }, { attributes: { class: "quiet" } }),
    ),
  );
}

function schedule(then: (time: number) => unknown): void {
  const local = new Date(Date.now() + 3_600_000 - new Date().getTimezoneOffset() * 60_000);
  formDialog(
    "Try at a time",
    [{
      name: "time",
      label: "Next attempt",
      type: "datetime-local",
      required: true,
      value: local.toISOString().slice(0, 16),
    }],
    "Set",
    async ({ time }) => void await then(new Date(time).getTime()),
  );
}

function transport(transports: readonly string[], then: (name: string) => unknown): void {
  formDialog(
    "Transport",
    [{
      name: "transport",
      label: "Send by",
      options: [
        { value: "", text: "as the routes say" },
        ...transports.map((t) => ({ value: t, text: t })),
      ],
      explanation: transports.length === 0 ? "mox.conf has no transports." : undefined,
    }],
    "Set",
    async (f) => void await then(f.transport),
  );
}

/** A message with its attempts. */
function message(item: QueueItem, changed: () => Promise<void>): void {
  attempt(async () => {
    const m = await makeCall(adminCalls, "QueueMessage", { id: item.id });
    const act = (action: Action, question?: string, yes = "Go on") =>
      attempt(async () => {
        if (question !== undefined) {
          if (!await confirmDialog("Queue", question, yes, { danger: true })) return;
        }
        await run({ ids: [item.id] }, action);
        dialog.close();
        await changed();
      });
    const dialog = openDialog(
      m.item.subject || "Message",
      el(
        "div",
        { class: "stacked" },
        facts([
          ["To", m.item.to],
          ["From", `${m.item.from || "(none)"}, account ${m.item.account}`],
          ["Message-ID", el("code", {}, m.messageId)],
          ["Size", sizeText(m.item.size)],
          ["Queued", longDate(m.item.queued)],
          ["Next attempt", m.item.hold ? "on hold" : longDate(m.item.next)],
        ]),
        tools(
          button("Send now", () => act({ do: "schedule", time: Date.now() }), { primary: true }),
          m.item.hold
            ? button("Release", () => act({ do: "release" }))
            : button("Hold", () => act({ do: "hold" })),
          button("Fail", () => act({ do: "fail" }, "It is given up; the sender is told.", "Fail"), {
            danger: true,
          }),
          button("Drop", () => act({ do: "drop" }, "It is removed; nobody is told.", "Drop"), {
            danger: true,
          }),
        ),
        el("h3", {}, "Attempts"),
        attemptsList(m.attempts),
        el("h3", {}, "Message"),
        m.cut ? lead("The first part; “mox queue dump” gives all of it.") : null,
        el("pre", { tabindex: 0, role: "region", "aria-label": "Text of the message" }, m.text),
      ),
      { wide: true },
    );
  });
}
