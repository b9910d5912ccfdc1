/** Tells OML from other YAML by the start of its text. */

/** How much of a file is looked at, in UTF-16 units. */
export const headLength = 1024;

const versionKey = /^\uFEFF?(?:oml_version|"oml_version"|'oml_version')[ \t]*:(?=\s|$)/m;

/** Whether `text` has `oml_version:` at top level within its first KB. */
export function looksLikeOml(text: string): boolean {
  return versionKey.test(text.slice(0, headLength));
}
