/** What was sent to AI models, as a text to read. */

/** One request, as `osiris.chat.log` answers it. Its words are not kept. */
export interface SentRequest {
  /** Seconds since 1970. */
  at: number;
  conversation: string;
  provider: string;
  model: string;
  host: string;
  bytes: number;
  tables: string[];
  /** Whether rows of data were among it. */
  rows: boolean;
  outcome: string;
  inputTokens: number | null;
  outputTokens: number | null;
}

/** @param what whose requests they are, as `of this conversation` */
export function logText(sent: SentRequest[], what: string): string {
  const head = `Requests to AI models ${what}, the latest first. The words themselves are not kept here.`;
  return `${[head, ...(sent.length === 0 ? ['Nothing has been sent.'] : sent.map(entry))].join('\n\n')}\n`;
}

function entry(one: SentRequest): string {
  const tokens = one.inputTokens === null ? '' : `, ${one.inputTokens} tokens in, ${one.outputTokens ?? 0} out`;
  return [
    `${new Date(one.at * 1000).toISOString().slice(0, 19)}Z  ${[one.model, one.host].filter(Boolean).join(' at ')} (${one.provider}): ${one.outcome}`,
    `  ${one.bytes} bytes${tokens}`,
    `  tables: ${one.tables.join(', ') || 'none'}; rows of data: ${one.rows ? 'yes' : 'no'}`,
    `  conversation ${one.conversation}`,
  ].join('\n');
}
