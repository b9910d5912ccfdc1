/** Where a step stands in a pipeline. Nothing here imports `vscode`. */

/** The line, from 0, on which the step gets this id, in block or flow style; `undefined` when there is none. */
export function lineOfStep(text: string, stepId: string): number | undefined {
  const id = stepId.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const given = new RegExp(String.raw`^(?:.*[{,])?[\s-]*id:\s*(["']?)${id}\1\s*(?:[,}#].*)?$`);
  const line = text.split(/\r\n|\r|\n/).findIndex((one) => given.test(one));
  return line >= 0 ? line : undefined;
}
