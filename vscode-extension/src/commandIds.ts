/**
 * The commands of the extension. Those of the server (`osiris.run`, `osiris.validate`, ...) are registered by the
 * language client under the server's names, so none of these may have such a name.
 */
export const commandIds = {
  runPipeline: 'osiris.runPipeline',
  runOn: 'osiris.runOn',
  validate: 'osiris.validatePipeline',
  compile: 'osiris.compilePipeline',
  stopRun: 'osiris.stopRun',
  showOutput: 'osiris.showOutput',
  restartServer: 'osiris.restartServer',
  checkSetup: 'osiris.checkSetup',
  discover: 'osiris.discoverTables',
  refreshSchema: 'osiris.refreshSchema',
  lockSchema: 'osiris.lockSchemaFile',
  newStep: 'osiris.newStepFromTable',
  openChat: 'osiris.openChat',
  showChatPrompt: 'osiris.showChatPrompt',
  showChatLog: 'osiris.showChatLog',
  chooseModel: 'osiris.chooseModel',
  setAiKey: 'osiris.setAiKey',
} as const;

export type CommandId = (typeof commandIds)[keyof typeof commandIds];

/** Those about databases, which `discovery.ts` registers. */
export type DiscoveryCommandId = (typeof commandIds)['discover' | 'refreshSchema' | 'lockSchema' | 'newStep'];

/** Those about conversations and their models, which `chat.ts` and `aiChoice.ts` register. */
export type ChatCommandId = (typeof commandIds)['openChat' | 'showChatPrompt' | 'showChatLog' | 'chooseModel' | 'setAiKey'];

/** The commands of `workspace/executeCommand` that the extension calls. */
export const serverCommands = {
  run: 'osiris.run',
  validate: 'osiris.validate',
  compile: 'osiris.compile',
  cancelRun: 'osiris.cancelRun',
  showRun: 'osiris.showRun',
  doctor: 'osiris.doctor',
  discover: 'osiris.discover',
  catalog: 'osiris.catalog',
  lockSchema: 'osiris.lockSchema',
  newStep: 'osiris.newStep',
  schemaText: 'osiris.schemaText',
  chatStart: 'osiris.chat.start',
  chatSend: 'osiris.chat.send',
  chatStop: 'osiris.chat.stop',
  chatApply: 'osiris.chat.apply',
  chatRun: 'osiris.chat.run',
  chatList: 'osiris.chat.list',
  chatLog: 'osiris.chat.log',
  chatPrompt: 'osiris.chat.showPrompt',
  chatStatus: 'osiris.chat.status',
} as const;
