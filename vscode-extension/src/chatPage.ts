/** The page of the chat panel. Nothing in it comes from a model: what was said arrives later, as text. */

/**
 * @param nonce what only our own script and style know; nothing else is loaded or run
 */
export function chatPage(nonce: string, script: string, style: string): string {
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Osiris Chat</title>
<style nonce="${nonce}">${inline(style)}</style>
</head>
<body>
<script nonce="${nonce}">${inline(script)}</script>
</body>
</html>
`;
}

/** Nothing in a script or a style may end its element. */
function inline(text: string): string {
  return text.replace(/<(?=\/(?:script|style)|!--)/gi, '\\x3c');
}
