/** Languages of the page. @module */

/** All languages, by their own names. English needs no catalogue; Chinese uses simplified characters. */
export const languages = {
  en: "English",
  de: "Deutsch",
  es: "Español",
  fr: "Français",
  it: "Italiano",
  nl: "Nederlands",
  pl: "Polski",
  pt: "Português",
  uk: "Українська",
  ar: "العربية",
  ja: "日本語",
  zh: "简体中文",
} as const;

export type Language = keyof typeof languages;
