/**
 * Offers VS Code an AI model that answers as a test has written it: the folder OSIRIS_TEST_MODEL holds `answers.json`, a
 * list of answers, each a list of `{"text"}`, `{"call": [name, input]}`, `{"wait": file}` and `{"error": [code, text]}`.
 * What it was asked is added to `asked.jsonl` there; a request that is cancelled while it waits leaves `cancelled`.
 */
const fs = require('node:fs');
const path = require('node:path');
const vscode = require('vscode');

const folder = process.env.OSIRIS_TEST_MODEL;
const file = (name) => path.join(folder, name);
const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

async function answer(model, messages, options, progress, token) {
  fs.appendFileSync(file('asked.jsonl'), `${JSON.stringify({ messages, tools: (options.tools ?? []).map((tool) => tool.name) })}\n`);
  const answers = JSON.parse(fs.readFileSync(file('answers.json'), 'utf8'));
  fs.writeFileSync(file('answers.json'), JSON.stringify(answers.slice(1)));
  for (const part of answers[0] ?? []) {
    if (part.text !== undefined) {
      progress.report(new vscode.LanguageModelTextPart(part.text));
    } else if (part.call !== undefined) {
      progress.report(new vscode.LanguageModelToolCallPart(`call-${Date.now()}`, ...part.call));
    } else if (part.error !== undefined) {
      const [code, text] = part.error;
      throw code === '' ? new Error(text) : vscode.LanguageModelError[code](text);
    } else {
      while (!fs.existsSync(file(part.wait))) {
        if (token.isCancellationRequested) {
          fs.writeFileSync(file('cancelled'), '');
          return;
        }
        await pause();
      }
    }
  }
}

exports.activate = (context) => {
  if (folder === undefined) {
    return;
  }
  const model = { id: 'tester', name: 'Acme Tester', family: 'acme', version: '1', maxInputTokens: 100_000, maxOutputTokens: 10_000, capabilities: { toolCalling: true } };
  context.subscriptions.push(
    vscode.lm.registerLanguageModelChatProvider('acme', {
      provideLanguageModelChatInformation: () => [model],
      provideLanguageModelChatResponse: answer,
      provideTokenCount: async () => 1,
    }),
  );
};
