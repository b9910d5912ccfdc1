/**
 * The commands of the extension. Those of the server (`osiris.run`, `osiris.validate`, ...) are registered by the
 * language client under the server's names, so none of these may have such a name.
 */
export const commandIds = {
  runPipeline: 'osiris.runPipeline',
  validate: 'osiris.validatePipeline',
  compile: 'osiris.compilePipeline',
  stopRun: 'osiris.stopRun',
  showOutput: 'osiris.showOutput',
  restartServer: 'osiris.restartServer',
  checkSetup: 'osiris.checkSetup',
} as const;

export type CommandId = (typeof commandIds)[keyof typeof commandIds];

/** The commands of `workspace/executeCommand` that the extension calls. */
export const serverCommands = {
  run: 'osiris.run',
  validate: 'osiris.validate',
  compile: 'osiris.compile',
  cancelRun: 'osiris.cancelRun',
  showRun: 'osiris.showRun',
  doctor: 'osiris.doctor',
} as const;
