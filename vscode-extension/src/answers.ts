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

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Packages that a command lacks, as the server says it in the data of its error. */
export interface MissingPackages {
  packages: string[];
  /** The extra of the distribution that brings them; only such a name is ever installed. */
  extra?: string;
  /** The command that installs them by hand. */
  install?: string;
}

/** The packages that were missing, if that is why a request failed. */
export function missingPackages(error: unknown): MissingPackages | undefined {
  const data: unknown = error instanceof Error && 'data' in error ? error.data : undefined;
  if (typeof data !== 'object' || data === null || !('missingPackages' in data) || !Array.isArray(data.missingPackages)) {
    return undefined;
  }
  const { extra, install } = data as { extra?: unknown; install?: unknown };
  return {
    packages: data.missingPackages.map(String),
    ...(typeof extra === 'string' && /^[a-z][a-z0-9-]*$/.test(extra) ? { extra } : {}),
    ...(typeof install === 'string' ? { install } : {}),
  };
}
