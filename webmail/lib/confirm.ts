/** Fields with which users confirm who they are before the ways to log in are changed. @module */
import type { FormField } from "./page.ts";
import { t } from "./text.ts";

/** The current password, and the code if there is a second factor. */
export function confirmFields(secondFactor: boolean): FormField[] {
  const password: FormField = {
    name: "current",
    label: t("Current password"),
    type: "password",
    required: true,
    autocomplete: "current-password",
  };
  const code: FormField = {
    name: "totp",
    label: t("Code of your second factor"),
    required: true,
    autocomplete: "one-time-code",
  };
  return secondFactor ? [password, code] : [password];
}

/** The fields' values in the form that calls take. */
export function confirmation(v: { [name: string]: string | undefined }): {
  current: string;
  totp?: string;
} {
  return v.totp ? { current: v.current ?? "", totp: v.totp } : { current: v.current ?? "" };
}
