/** Frequently used texts: inserting, saving and removing them. @module */
import { call } from "../../api/client.ts";
import type { Settings } from "../../api/mod.ts";
import { openMenu, promptDialog } from "../../lib/dialog.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { t } from "../../lib/text.ts";

export interface TemplateMenu {
  settings: () => Settings;
  /** What is written now. */
  now: () => { subject: string; text: string };
  put: (t: { subject: string; text: string }) => void;
}

/** Templates that are kept; the oldest goes for one more. */
const maxTemplates = 50;

const save = (settings: Settings) => call("SettingsSet", { settings });

/** Shows the texts next to a button. */
export function openTemplates(at: Element, menu: TemplateMenu): void {
  const { templates } = menu.settings();
  const keep = () =>
    attempt(async () => {
      const { subject, text } = menu.now();
      const name = (await promptDialog(t("Keep as a template"), t("Name"), subject, t("Keep")))
        ?.trim();
      if (name === undefined || name === "") return;
      const others = templates.filter((t) => t.name !== name);
      await save({
        ...menu.settings(),
        templates: [...others, { name, subject, text }].slice(-maxTemplates),
      });
      notice(t("Template kept."));
    });
  const remove = (name: string) =>
    attempt(async () => {
      await save({ ...menu.settings(), templates: templates.filter((t) => t.name !== name) });
      notice(t("Template removed."));
    });
  const chooseRemoved = () =>
    openMenu(
      at,
      templates.map((t) => ({ text: t.name, danger: true, run: () => remove(t.name) })),
      t("Template to remove"),
    );
  openMenu(
    at,
    [
      ...templates.map((t) => ({ text: t.name, run: () => menu.put(t) })),
      { text: t("Keep this text as a template…"), run: keep },
      ...templates.length === 0 ? [] : [{ text: t("Remove a template…"), run: chooseRemoved }],
    ],
    t("Templates"),
  );
}
