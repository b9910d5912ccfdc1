/**
 * Offers `osiris mcp` to the agents of VS Code: one server for each folder that is a project, in trusted workspaces, with
 * no permission to write, to run or to see rows. Nothing here imports `vscode`: older versions know no such servers.
 */
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import type { ServerCommand } from './server';

export const mcpProviderId = 'osiris.mcp';
const projectMarkers = ['osiris.yaml', 'osiris_connections.yaml'];

interface Disposable {
  dispose(): unknown;
}

/** As VS Code 1.101 and later have it. */
export interface McpDefinition {
  label: string;
  command: string;
  args: string[];
  env: Record<string, string | number | null>;
  version?: string;
}

export interface McpProvider {
  onDidChangeMcpServerDefinitions: unknown;
  provideMcpServerDefinitions(): McpDefinition[];
  resolveMcpServerDefinition(definition: McpDefinition): Promise<McpDefinition | undefined>;
}

/** The part of `vscode` that this is about, as far as the editor has it. */
export interface McpHost {
  lm?: { registerMcpServerDefinitionProvider?(id: string, provider: McpProvider): Disposable };
  McpStdioServerDefinition?: new (
    label: string, command: string, args: string[], env: McpDefinition['env'], version: string,
  ) => McpDefinition;
}

export interface McpSurroundings {
  trusted: () => boolean;
  folders: () => string[];
  /** The server that serves this window, which is started if need be. */
  server: () => Promise<ServerCommand | undefined>;
  /** Makes sure that the server has what `osiris mcp` needs. */
  prepare: (server: ServerCommand) => Promise<void>;
  /** An event: the folders or the trust have changed. */
  onChanged: unknown;
  /** The version of the extension. */
  version: string;
}

/** Registers the servers; undefined where the editor knows none. */
export function offerMcpServers(host: McpHost, around: McpSurroundings): Disposable | undefined {
  const { lm, McpStdioServerDefinition: Definition } = host;
  if (lm?.registerMcpServerDefinitionProvider === undefined || Definition === undefined) {
    return undefined;
  }
  return lm.registerMcpServerDefinitionProvider(mcpProviderId, {
    onDidChangeMcpServerDefinitions: around.onChanged,
    provideMcpServerDefinitions: () =>
      projects(around).map((folder) => new Definition(`Osiris: ${path.basename(folder)}`, 'osiris', mcpArgs(folder), {}, around.version)),
    resolveMcpServerDefinition: (definition) => resolved(definition, around),
  });
}

/** What is really started, found when it is needed: the program that serves the editor. */
async function resolved(definition: McpDefinition, around: McpSurroundings): Promise<McpDefinition | undefined> {
  const folder = definition.args.at(-1) ?? '';
  if (!projects(around).includes(folder)) {
    return undefined;
  }
  const server = await around.server();
  if (server === undefined) {
    throw new Error('No Osiris was found that could serve. Osiris: Doctor says more.');
  }
  await around.prepare(server);
  definition.command = server.command;
  definition.args = [...server.args.slice(0, -1), ...mcpArgs(folder)];
  if (server.managed) {
    definition.env = { PYTHONPATH: null, PYTHONHOME: null, PYTHONSTARTUP: null };
  }
  return definition;
}

function mcpArgs(folder: string): string[] {
  return ['mcp', '--project', folder];
}

function projects(around: McpSurroundings): string[] {
  return around.trusted()
    ? around.folders().filter((folder) => projectMarkers.some((name) => existsSync(path.join(folder, name))))
    : [];
}
