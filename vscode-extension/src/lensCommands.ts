/** What happens when a code lens is clicked: the server's commands are done as the extension does its own. */
import * as vscode from 'vscode';
import type { Middleware } from 'vscode-languageclient/node';
import { commandIds, serverCommands } from './commandIds';

const ours: Readonly<Record<string, string>> = {
  [serverCommands.run]: commandIds.runPipeline,
  [serverCommands.compile]: commandIds.compile,
};

/** Has the file saved first, the output shown and what goes wrong told, which the server's bare command would not do. */
export const lensesAsCommands: Middleware = {
  executeCommand: (command, args: unknown[], next) => {
    const own = ours[command];
    const target = args[0] as { uri?: unknown; to?: unknown } | undefined;
    return own === undefined || typeof target?.uri !== 'string'
      ? next(command, args)
      : vscode.commands.executeCommand(own, vscode.Uri.parse(target.uri), target.to);
  },
};
