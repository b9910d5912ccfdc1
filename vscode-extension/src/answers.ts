/** What the server's commands answer, and how it is said. */

export interface Findings {
  errors: number;
  warnings: number;
}

export interface Compiled {
  manifest?: string;
  cached?: boolean;
}

/** `no errors`, `1 error`, `2 errors and 1 warning`. */
export function summary({ errors, warnings }: Findings): string {
  const parts = [count(errors, 'error'), warnings > 0 ? count(warnings, 'warning') : ''];
  return parts.filter((part) => part !== '').join(' and ');
}

function count(amount: number, unit: string): string {
  return `${amount === 0 ? 'no' : amount} ${unit}${amount === 1 ? '' : 's'}`;
}

export function reportOf(answer: unknown): string {
  return typeof answer === 'string' ? answer : JSON.stringify(answer, undefined, 2);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
