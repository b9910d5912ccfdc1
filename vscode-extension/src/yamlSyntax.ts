/** Tells findings about YAML as such from those about what stands in it. Nothing here imports `vscode`. */

/** What is reported of a document: all, unless another extension reports its YAML syntax already. */
export function withoutDuplicates<T extends { code?: unknown }>(findings: T[], language: string | undefined, yamlIsChecked: boolean): T[] {
  return yamlIsChecked && language === 'yaml' ? findings.filter(({ code }) => !isYamlSyntax(code)) : findings;
}

/** Codes OML0xx are those of the syntax. A code with a link to its explanation is an object. */
function isYamlSyntax(code: unknown): boolean {
  const value = typeof code === 'object' && code !== null && 'value' in code ? code.value : code;
  return /^OML0\d\d$/.test(String(value));
}
